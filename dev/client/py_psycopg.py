import psycopg

with psycopg.connect("") as connection:
    assert connection.execute("SELECT 1").fetchone() == (1,)
print("in", psycopg.__version__)
