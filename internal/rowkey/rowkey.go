// Package rowkey makes keys of rows in the program, because BigQuery has no
// auto-increment.
package rowkey

import (
	"math/rand/v2"
	"sync"
	"time"
)

// keys makes integers that grow with time: 42 bits of milliseconds since 2020, and 21 bits that
// start at random in each millisecond and count up, so that keys of different processes rarely
// collide.
type keys struct {
	mu   sync.Mutex
	last int64
}

var timeKeys keys

// Int64 returns a key that is greater than the previous ones.
func Int64() int64 { return timeKeys.next(time.Now()) }

const keyRandomBits = 21

var keyEpoch = time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)

func (k *keys) next(now time.Time) int64 {
	key := now.Sub(keyEpoch).Milliseconds()<<keyRandomBits | rand.Int64N(1<<keyRandomBits)
	k.mu.Lock()
	defer k.mu.Unlock()
	if key>>keyRandomBits <= k.last>>keyRandomBits { // the same millisecond, or a clock that was set back
		key = k.last + 1
	}
	k.last = key
	return key
}
