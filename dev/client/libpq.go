package main

import (
	"database/sql"
	"fmt"
	"os"

	_ "github.com/lib/pq"
)

func main() {
	var one int

	// it refuses to know some of the variables that libpq has
	dsn := fmt.Sprintf("host=%s port=%s user=%s password=%s dbname=%s sslmode=verify-full sslrootcert=%s connect_timeout=20",
		os.Getenv("PGHOST"), os.Getenv("PGPORT"), os.Getenv("PGUSER"), os.Getenv("PGPASSWORD"), os.Getenv("PGDATABASE"),
		os.Getenv("PGSSLROOTCERT"))
	if _, err := os.Stat(os.Getenv("PGSSLCERT")); err == nil {
		dsn += fmt.Sprintf(" sslcert=%s sslkey=%s", os.Getenv("PGSSLCERT"), os.Getenv("PGSSLKEY"))
	}
	os.Clearenv()
	db, err := sql.Open("postgres", dsn)
	if err == nil {
		db.SetMaxOpenConns(1)
		err = db.QueryRow("SELECT 1").Scan(&one)
	}
	if err != nil || one != 1 {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	db.Close()
	fmt.Println("in")
}
