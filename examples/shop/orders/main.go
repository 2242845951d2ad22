// Command orders is the shop's order service: an HTTP API over PostgreSQL, observed by kits/go.
//
// Environment: HOST (127.0.0.1), PORT (8080), DATABASE_URL, RECOMMENDATIONS_URL (http://127.0.0.1:8081), SEED (1),
// SLOW_RATIO (0.03) and FAIL_RATIO (0.08) of the requests that have trouble, and those of kits/go.
package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	_ "github.com/lib/pq"
	"go.uber.org/zap"

	"apus/observe"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "orders:", err)
		os.Exit(1)
	}
}

func run() error {
	settings, err := settingsFromEnvironment()
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()

	service, err := observe.Start("orders", observe.WithVersion("1.0.0"))
	if err != nil {
		return err
	}
	defer func() {
		deadline, cancel := context.WithTimeout(context.Background(), 3*time.Second)
		defer cancel()
		_ = service.Shutdown(deadline)
	}()

	db, err := observe.DB("postgres", settings.databaseURL)
	if err != nil {
		return err
	}
	defer db.Close()
	db.SetMaxOpenConns(16)
	db.SetMaxIdleConns(16)
	store := &store{db}
	if err := store.prepare(ctx, 30*time.Second); err != nil {
		return err
	}

	mux := http.NewServeMux()
	service.Mount(mux)
	api := &api{
		store:           store,
		recommendations: newRecommendations(settings.recommendationsURL),
		trouble:         newTrouble(settings.seed, settings.slowRatio, settings.failRatio),
	}
	api.mount(mux)

	listener, err := net.Listen("tcp", settings.address)
	if err != nil {
		return err
	}
	server := &http.Server{
		Handler:           observe.Handler(mux),
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       15 * time.Second,
		WriteTimeout:      90 * time.Second, // a CPU profile takes as long as it is asked to
		IdleTimeout:       2 * time.Minute,
	}
	observe.Logger(ctx).Info("listening", zap.String("address", listener.Addr().String()))
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()

	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	observe.Logger(context.Background()).Info("stopping")
	deadline, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	err = server.Shutdown(deadline)
	if errors.Is(err, context.DeadlineExceeded) {
		return server.Close() // a profile being taken may go on for long, and is worth no waiting
	}
	return err
}
