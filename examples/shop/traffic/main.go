// Command traffic visits the shop as customers would: they look around, place orders and pay. Each visit is one trace.
//
//	traffic -url http://127.0.0.1:8080 -rate 20 -duration 0 -seed 1
package main

import (
	"context"
	"flag"
	"fmt"
	"math/rand"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"sync"
	"syscall"
	"time"

	"go.uber.org/zap"

	"apus/observe"
)

// visitsAtOnceMax bounds what a slow shop can pile up; visits beyond are skipped and counted.
const visitsAtOnceMax = 256

func main() {
	target := flag.String("url", "http://127.0.0.1:8080", "the shop's address")
	rate := flag.Float64("rate", 8, "visits a second; a visit makes one to four requests")
	duration := flag.Duration("duration", 0, "how long to go on; 0: until stopped")
	seed := flag.Int64("seed", 1, "one seed gives one sequence of visits")
	flag.Parse()
	if *rate <= 0 || *rate > 10_000 {
		fmt.Fprintln(os.Stderr, "traffic: -rate wants a number above 0, up to 10000")
		os.Exit(2)
	}
	if err := run(strings.TrimSuffix(*target, "/"), *rate, *duration, *seed); err != nil {
		fmt.Fprintln(os.Stderr, "traffic:", err)
		os.Exit(1)
	}
}

func run(target string, rate float64, duration time.Duration, seed int64) error {
	service, err := observe.Start("traffic", observe.WithVersion("1.0.0"))
	if err != nil {
		return err
	}
	defer func() {
		deadline, cancel := context.WithTimeout(context.Background(), 3*time.Second)
		defer cancel()
		_ = service.Shutdown(deadline)
	}()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if duration > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, duration)
		defer cancel()
	}

	customers := &customers{
		target: target,
		client: &http.Client{Timeout: 10 * time.Second, Transport: observe.Transport(&http.Transport{MaxIdleConnsPerHost: visitsAtOnceMax})},
	}
	ticker := time.NewTicker(time.Duration(float64(time.Second) / rate))
	defer ticker.Stop()
	report := time.NewTicker(30 * time.Second)
	defer report.Stop()
	random := rand.New(rand.NewSource(seed))
	places := make(chan struct{}, visitsAtOnceMax)
	var visits sync.WaitGroup
	skipped := 0
	for {
		select {
		case <-ctx.Done():
			visits.Wait()
			customers.report(skipped)
			return nil
		case <-report.C:
			customers.report(skipped)
		case <-ticker.C:
			plan := drawPlan(random)
			select {
			case places <- struct{}{}:
			default:
				skipped++
				continue
			}
			visits.Add(1)
			go func() {
				defer visits.Done()
				defer func() { <-places }()
				// A visit that has begun is finished, so that its trace is whole.
				customers.visit(context.Background(), plan)
			}()
		}
	}
}

func (c *customers) report(skipped int) {
	observe.Logger(context.Background()).Info("visits so far",
		zap.Int64("visits", c.visits.Load()), zap.Int64("requests", c.requests.Load()), zap.Int64("failed", c.failed.Load()), zap.Int("skipped", skipped))
}
