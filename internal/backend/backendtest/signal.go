package backendtest

import (
	"testing"
	"time"
)

var signals = []promise{
	{"are heard by the sender's view and others", hearSignals},
	{"are heard on their own topic, until stop", hearTopic},
	{"topics are unique", makeTopics},
	{"connected", isConnected},
}

// listen opens a topic.
func (c *client) listen(topic string) (heard chan string, stop func()) {
	c.t.Helper()
	heard = make(chan string, roomy)
	stop, err := c.Listen(topic, func(data []byte) { heard <- string(data) })
	if err != nil {
		c.t.Fatalf("listen on %q: %v", topic, err)
	}
	return heard, stop
}

// until sends a signal again and again, for signals may get lost, until it is heard.
func (c *client) until(heard <-chan string, topic, data string) {
	c.t.Helper()
	late := time.After(patience)
	again := make(chan struct{}, 1)
	for {
		c.Signal(topic, []byte(data))
		c.Clock().After(20*time.Millisecond, func() { again <- struct{}{} })
		select {
		case got := <-heard:
			if got == data {
				return
			}
		case <-again:
		case <-late:
			c.t.Fatalf("signal %q on %q was not heard", data, topic)
		}
	}
}

func hearSignals(t *testing.T, h Hub) {
	a, b := connect(t, h), connect(t, h)
	for _, topic := range []string{"beat.group", "a b *.>", "ключ", ""} {
		mine, stopMine := a.listen(topic)
		theirs, stopTheirs := b.listen(topic)
		a.until(mine, topic, "to myself, "+text)
		a.until(theirs, topic, "to you")
		b.until(mine, topic, "to you, too")
		stopMine()
		stopTheirs()
	}
}

func hearTopic(t *testing.T, h Hub) {
	a, b := connect(t, h), connect(t, h)
	one, stop := a.listen("one")
	two, _ := a.listen("two")
	b.until(one, "one", "to one")
	b.until(two, "two", "to two")
	select {
	case s := <-two:
		if s != "to two" {
			t.Errorf("signal %q on another topic", s)
		}
	default:
	}
	stop()
	for len(one) > 0 {
		<-one
	}
	again, _ := a.listen("one")
	b.until(again, "one", "after stop")
	select {
	case s := <-one:
		t.Errorf("signal %q after stop", s)
	default:
	}
}

func makeTopics(t *testing.T, h Hub) {
	a, b := connect(t, h), connect(t, h)
	topics := map[string]bool{}
	for range 100 {
		topics[a.Topic()], topics[b.Topic()] = true, true
	}
	if len(topics) != 200 {
		t.Errorf("200 topics have %d names", len(topics))
	}
}

func isConnected(t *testing.T, h Hub) {
	c := connect(t, h)
	if !c.Connected() {
		t.Error("a new view is not connected")
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	if c.Connected() {
		t.Error("a closed view is connected")
	}
}
