package durable_test

import (
	"context"
	"fmt"
	"log"
	"time"

	durable "github.com/durablegen/durablegen/runtime"
)

// A schedule starts an orchestrator with the same input again and again; here it is told to start one now.
func ExampleCreateSchedule() {
	ran := make(chan string, 1)
	report := newOrchestrator[string, durable.None]("Report")
	client, stop := inMemory(report.Bind(func(ctx durable.Context, department string) (durable.None, error) {
		at, _ := durable.ScheduledTime(ctx) // the time it was due, however late it begins
		ran <- fmt.Sprint(department, " has a time: ", !at.IsZero())
		return durable.None{}, nil
	}))
	defer stop()

	ctx := context.Background()
	err := report.Schedule(ctx, client, durable.Schedule{
		ID:       "sales-report",
		Cron:     []string{"0 6 * * mon-fri", "0 9 * * sat"},
		TimeZone: "Europe/Berlin",
		Overlap:  durable.OverlapBuffer,
	}, "sales", durable.UpdateIfExists())
	if err != nil {
		log.Fatal(err)
	}
	if err := client.TriggerSchedule(ctx, "sales-report"); err != nil {
		log.Fatal(err)
	}
	fmt.Println(<-ran)
	if err := client.PauseSchedule(ctx, "sales-report", "the printer is broken"); err != nil {
		log.Fatal(err)
	}
	info, err := client.DescribeSchedule(ctx, "sales-report")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(info.Orchestrator, info.Cron)
	if err := client.DeleteSchedule(ctx, "sales-report"); err != nil {
		log.Fatal(err)
	}
	// Output:
	// sales has a time: true
	// shop.Report [0 6 * * mon-fri 0 9 * * sat]
}

// Next tells what an expression means before it is used. In Berlin there is no 02:30 on this Sunday.
func ExampleSchedule_Next() {
	nightly := durable.Schedule{ID: "nightly", Cron: []string{"30 2 * * *"}, TimeZone: "Europe/Berlin"}
	times, err := nightly.Next(time.Date(2026, time.March, 28, 0, 0, 0, 0, time.UTC), 3)
	if err != nil {
		log.Fatal(err)
	}
	for _, t := range times {
		fmt.Println(t)
	}
	// Output:
	// 2026-03-28 01:30:00 +0000 UTC
	// 2026-03-29 01:00:00 +0000 UTC
	// 2026-03-30 00:30:00 +0000 UTC
}
