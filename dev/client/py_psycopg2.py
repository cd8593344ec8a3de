import psycopg2

connection = psycopg2.connect("")
cursor = connection.cursor()
cursor.execute("SELECT 1")
assert cursor.fetchone() == (1,)
print("in", psycopg2.__version__.split()[0])
connection.close()
