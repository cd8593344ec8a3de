require 'pg'

connection = PG.connect
raise 'no row' unless connection.exec('SELECT 1').getvalue(0, 0) == '1'
connection.close
puts "in #{PG::VERSION}"
