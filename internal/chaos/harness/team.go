package harness

import (
	"context"
	"fmt"
)

// Team is a number of worker processes. It is used by one goroutine.
type Team struct {
	role    WorkerRole // of all, but for the name
	url     func(n int) string
	hired   int
	Workers []*Process
	Log     func(format string, args ...any)
}

// Hire makes a team of nobody. The n-th worker connects to url(n).
func Hire(role WorkerRole, url func(n int) string, log func(format string, args ...any)) *Team {
	return &Team{role: role, url: url, Log: log}
}

// Join starts a worker and does not wait until it works.
func (m *Team) Join() (*Process, error) {
	role := m.role
	role.URL = m.url(m.hired)
	m.hired++
	role.Name = fmt.Sprint("worker ", m.hired)
	p, err := Launch(role.Name, Role{Worker: &role})
	if err == nil {
		m.Workers = append(m.Workers, p)
	}
	return p, err
}

// JoinAll starts n workers and waits until they work.
func (m *Team) JoinAll(ctx context.Context, n int) error {
	for range n {
		if _, err := m.Join(); err != nil {
			return err
		}
	}
	for _, p := range m.Workers[len(m.Workers)-n:] {
		if _, err := p.Ready(ctx); err != nil {
			return err
		}
	}
	return nil
}

// Replace kills worker n and starts another.
func (m *Team) Replace(n int) (*Process, error) {
	m.Log("kill %s", m.Workers[n].Name)
	m.Workers[n].Kill()
	m.Workers = append(m.Workers[:n], m.Workers[n+1:]...)
	return m.Join()
}

// named finds a worker.
func (m *Team) named(name string) (n int, err error) {
	for n, p := range m.Workers {
		if p.Name == name {
			return n, nil
		}
	}
	return 0, fmt.Errorf("harness: there is no worker %q", name)
}

// Close kills everybody.
func (m *Team) Close() {
	for _, p := range m.Workers {
		p.Kill()
	}
}
