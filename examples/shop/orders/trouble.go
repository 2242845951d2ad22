package main

import (
	"math/rand"
	"sync"
	"time"
)

// trouble decides which requests are slow or fail. One seed gives one sequence of decisions.
type trouble struct {
	slowRatio, failRatio float64

	mutex  sync.Mutex
	random *rand.Rand
}

func newTrouble(seed int64, slowRatio, failRatio float64) *trouble {
	return &trouble{slowRatio: slowRatio, failRatio: failRatio, random: rand.New(rand.NewSource(seed))}
}

// delay is how long the next statement is held up in the database: usually not at all, else 0.2 to 1.2 s.
func (t *trouble) delay() time.Duration {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	if t.random.Float64() >= t.slowRatio {
		return 0
	}
	return time.Duration(200+t.random.Intn(1000)) * time.Millisecond
}

// declined says whether the payment provider fails this time.
func (t *trouble) declined() bool {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	return t.random.Float64() < t.failRatio
}
