package main

import (
	"fmt"
	"net"
	"os"
	"strconv"
)

type settings struct {
	address            string
	databaseURL        string
	recommendationsURL string
	seed               int64
	slowRatio          float64
	failRatio          float64
}

func settingsFromEnvironment() (settings, error) {
	s := settings{
		address:            net.JoinHostPort(textOf("HOST", "127.0.0.1"), textOf("PORT", "8080")),
		databaseURL:        textOf("DATABASE_URL", "postgres://postgres@127.0.0.1:5433/shop?sslmode=disable"),
		recommendationsURL: textOf("RECOMMENDATIONS_URL", "http://127.0.0.1:8081"),
	}
	var err error
	if s.seed, err = strconv.ParseInt(textOf("SEED", "1"), 10, 64); err != nil {
		return s, fmt.Errorf("SEED: %q is no whole number", os.Getenv("SEED"))
	}
	if s.slowRatio, err = ratioOf("SLOW_RATIO", "0.03"); err != nil {
		return s, err
	}
	s.failRatio, err = ratioOf("FAIL_RATIO", "0.08")
	return s, err
}

func textOf(variable, otherwise string) string {
	if text := os.Getenv(variable); text != "" {
		return text
	}
	return otherwise
}

func ratioOf(variable, otherwise string) (float64, error) {
	ratio, err := strconv.ParseFloat(textOf(variable, otherwise), 64)
	if err != nil || !(ratio >= 0 && ratio <= 1) {
		return 0, fmt.Errorf("%s: %q is no number between 0 and 1", variable, os.Getenv(variable))
	}
	return ratio, nil
}
