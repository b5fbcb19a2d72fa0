package demo

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// role makes this test binary play a worker process.
const role = "MEMBERSHIP_TEST_ROLE"

func TestMain(m *testing.M) {
	switch os.Getenv(role) {
	case "worker":
		fmt.Println("hello")
		fmt.Println(ReadyLine)
		_, _ = io.Copy(io.Discard, os.Stdin)
	case "quitter":
		fmt.Println(ReadyLine)
	case "cripple":
		os.Exit(3)
	default:
		os.Exit(m.Run())
	}
}

// crew counts the processes it starts in hired, and ends the play at the given one.
func crew(t *testing.T, as string, kills int, hired *int, enough int, stop context.CancelFunc) Crew {
	return Crew{
		Command: func() *exec.Cmd {
			*hired++
			if *hired == enough {
				stop()
			}
			cmd := exec.Command(os.Args[0])
			cmd.Env = append(os.Environ(), role+"="+as)
			return cmd
		},
		Kills: kills, Least: 0, Most: time.Millisecond,
	}
}

func TestCrewKillsAndHiresAgain(t *testing.T) {
	t.Parallel()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	hired := 0
	kills, err := crew(t, "worker", 3, &hired, 4, stop).Run(ctx)
	if err != nil || kills != 3 || hired != 4 {
		t.Errorf("killed %d of %d, %v; want 3 of 4 and the last one dismissed", kills, hired, err)
	}
}

func TestCrewReportsAWorkerThatFails(t *testing.T) {
	t.Parallel()
	for as, want := range map[string]string{"quitter": "ended by itself", "cripple": "before it was ready: exit status 3"} {
		t.Run(as, func(t *testing.T) {
			t.Parallel()
			hired := 0
			_, err := crew(t, as, 0, &hired, -1, nil).Run(t.Context())
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("err = %v, want one with %q", err, want)
			}
		})
	}
}
