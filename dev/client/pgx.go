package main

import (
	"context"
	"fmt"
	"os"

	"github.com/jackc/pgx/v4"
)

func main() {
	var one int

	if _, err := os.Stat(os.Getenv("PGSSLCERT")); err != nil {
		os.Unsetenv("PGSSLCERT")
		os.Unsetenv("PGSSLKEY")
	}
	connection, err := pgx.Connect(context.Background(), "")
	if err == nil {
		err = connection.QueryRow(context.Background(), "SELECT 1").Scan(&one)
	}
	if err != nil || one != 1 {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	connection.Close(context.Background())
	fmt.Println("in")
}
