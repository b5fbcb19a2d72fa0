package sim

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"
)

// misfortune is something that happens to a worker from outside of it. n is its place among the workers.
type misfortune struct {
	name   string
	often  int
	strike func(w *world, n int, number string, rng *rand.Rand)
}

// misfortunes are all there are; add one here.
var misfortunes = []misfortune{
	{"crash", 4, (*world).crash},
	{"freeze", 2, func(w *world, n int, _ string, rng *rand.Rand) { w.workers[n].view.Pause(upTo(rng, 6*time.Second)) }},
	{"long freeze", 1, func(w *world, n int, _ string, rng *rand.Rand) {
		w.workers[n].view.Pause(4*time.Second + upTo(rng, 20*time.Second))
	}},
	{"cut off", 2, (*world).cut},
	{"clock off", 1, func(w *world, n int, _ string, rng *rand.Rand) {
		w.workers[n].view.Skew(upTo(rng, 40*time.Millisecond) - 30*time.Millisecond)
	}},
	{"clock jump", 1, func(w *world, n int, _ string, rng *rand.Rand) {
		w.workers[n].view.Skew(upTo(rng, 900*time.Millisecond) - 450*time.Millisecond) // Retention.Age allows no more
	}},
	{"slow", 1, (*world).slow},
	{"unheard", 1, (*world).unheard},
	{"unload", 2, func(w *world, n int, _ string, _ *rand.Rand) { w.workers[n].group.Unload() }},
	{"leave", 1, (*world).leave},
	{"visitor", 1, (*world).visitor},
}

// strike has one misfortune happen.
func (w *world) strike(number int) {
	rng := w.source("misfortune", number)
	all := 0
	for _, m := range misfortunes {
		all += m.often
	}
	n, k := rng.IntN(1000)%len(w.workers), rng.IntN(all)
	for _, m := range misfortunes {
		if k -= m.often; k < 0 {
			if worker := w.workers[n]; !worker.gone && w.mishap(m.name, fmt.Sprint("w", n), fmt.Sprint("blow ", number)) {
				m.strike(w, n, fmt.Sprint(number), rng)
			}
			return
		}
	}
}

func upTo(rng *rand.Rand, d time.Duration) time.Duration {
	return time.Duration(rng.Int64N(int64(d/time.Millisecond)+1)) * time.Millisecond
}

// later runs fn in the world, at a time of no worker's.
func (w *world) later(d time.Duration, fn func()) { w.client.Clock().After(d, fn) }

// replace has a supervisor start another worker in the place of one that is gone.
func (w *world) replace(n int, number string, rng *rand.Rand) {
	if w.healed {
		return // those of the healed world are enough
	}
	if err := w.join(n, fmt.Sprintf("w%d-%s", n, number), rare[rng.IntN(len(rare))]); err != nil {
		w.later(time.Second, func() { w.replace(n, number, rng) })
	}
}

// crash kills a worker; it is started again at once.
func (w *world) crash(n int, number string, rng *rand.Rand) {
	w.workers[n].gone = true
	w.workers[n].view.Kill()
	w.replace(n, number, rng)
}

// leave stops a worker in order, without the patience to wait for what it has under way; it comes back later.
func (w *world) leave(n int, number string, rng *rand.Rand) {
	k := w.workers[n]
	k.gone = true
	hurry, cancel := context.WithCancel(context.Background())
	cancel()
	_ = k.group.Stop(hurry) // what it could not do, those who come after it see to
	w.later(upTo(rng, 50*time.Millisecond), func() { k.view.Kill() })
	w.later(upTo(rng, 4*time.Second), func() { w.replace(n, number, rng) })
}

// visitor is one worker more, for a while.
func (w *world) visitor(_ int, number string, rng *rand.Rand) {
	n := len(w.workers)
	if err := w.join(-1, "visitor-"+number, rare[rng.IntN(len(rare))]); err != nil {
		return
	}
	w.later(time.Second+upTo(rng, 5*time.Second), func() {
		if k := w.workers[n]; !k.gone && !w.healed {
			k.gone = true
			k.view.Kill()
		}
	})
}

// cut breaks a worker's connection for a while.
func (w *world) cut(n int, _ string, rng *rand.Rand) {
	v := w.workers[n].view
	v.Disconnect()
	w.later(upTo(rng, 4*time.Second), v.Reconnect)
}

// slow puts a worker far from the store for a while.
func (w *world) slow(n int, _ string, rng *rand.Rand) {
	v := w.workers[n].view
	v.Slow(20*time.Millisecond + upTo(rng, 800*time.Millisecond))
	w.later(upTo(rng, 6*time.Second), func() { v.Slow(0) })
}

// unheard has a worker lose its signals for a while, so that others take what it goes on to own.
func (w *world) unheard(n int, _ string, rng *rand.Rand) {
	v := w.workers[n].view
	v.Mute(true)
	w.later(upTo(rng, 6*time.Second), func() { v.Mute(false) })
}
