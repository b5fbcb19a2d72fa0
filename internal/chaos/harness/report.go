package harness

import (
	"fmt"
	"io"
	"strings"
	"time"
)

// WriteTable writes reports as a table in Markdown, with what is wrong below it.
func WriteTable(out io.Writer, reports []Report) error {
	var b strings.Builder
	b.WriteString("| fault | seed | longest silence: hub | one partition | before the fault | slowest errand | errands | effects again | records again | calls again | |\n")
	b.WriteString("| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |\n")
	for _, r := range reports {
		verdict := strings.Join(r.Notes, "; ")
		if r.Err != nil {
			verdict = "**failed**"
		}
		fmt.Fprintf(&b, "| %s | %d | %s | %s | %s, %s | %s | %d | %d | %d | %d | %s |\n", r.Fault.What, r.Seed,
			seconds(r.Silence.Hub), seconds(r.Silence.Partition), seconds(r.Calm.Hub), seconds(r.Calm.Partition), seconds(r.Slowest),
			r.Errands, r.Again, r.Tasks+r.Results, r.Patient, verdict)
	}
	for _, r := range reports {
		if r.Err != nil {
			fmt.Fprintf(&b, "\n%s, seed %d: %v\n", r.Fault.Name, r.Seed, r.Err)
		}
	}
	_, err := io.WriteString(out, b.String())
	return err
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.1f s", d.Seconds()) }
