package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"time"

	"github.com/jackc/pgconn"
	"github.com/jackc/pgx/v4"
)

// Tells when it is closed.
type watched struct {
	net.Conn
	closed chan bool
}

func (connection watched) Close() error {
	defer func() { connection.closed <- true }()
	return connection.Conn.Close()
}

// With what the server has refused once TLS was up, pgx sends it a cancel request, over one more connection, which an
// end of the program would break off.
func waitCancel(err error, closed chan bool) {
	var said *pgconn.PgError

	limit := time.After(5 * time.Second)
	for n := 0; n < 2 && !errors.As(err, &said); n++ {
		select {
		case <-closed:
		case <-limit:
		}
	}
}

func main() {
	var one int

	if _, err := os.Stat(os.Getenv("PGSSLCERT")); err != nil {
		os.Unsetenv("PGSSLCERT")
		os.Unsetenv("PGSSLKEY")
	}
	config, err := pgx.ParseConfig("")
	if err != nil {
		panic(err)
	}
	closed := make(chan bool, 10)
	dial := config.DialFunc
	config.DialFunc = func(ctx context.Context, network, address string) (net.Conn, error) {
		connection, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return watched{connection, closed}, nil
	}
	connection, err := pgx.ConnectConfig(context.Background(), config)
	if err == nil {
		err = connection.QueryRow(context.Background(), "SELECT 1").Scan(&one)
	}
	if err != nil || one != 1 {
		waitCancel(err, closed)
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	connection.Close(context.Background())
	fmt.Println("in")
}
