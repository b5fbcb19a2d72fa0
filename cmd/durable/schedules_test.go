package main

import (
	"context"
	"fmt"

	durable "github.com/durablegen/durablegen/runtime"
)

func (s *site) plan(id string) error {
	return s.client(func(ctx context.Context, c *durable.Client) error {
		return durable.CreateSchedule(ctx, c, flow("Echo"), durable.Schedule{ID: id, Cron: []string{"0 3 * * *"}, TimeZone: "Europe/Berlin"}, "x")
	})
}

// triggered waits until the hub shows that a schedule was triggered, and its run has ended.
func (s *site) triggered(id string) error {
	return s.client(func(ctx context.Context, c *durable.Client) error {
		for _, err := range c.Watch(ctx, "schedule:"+id) {
			if err != nil {
				return err
			}
			info, err := c.DescribeSchedule(ctx, id)
			if err != nil || info.Triggered == 1 && len(info.Recent) == 1 && info.Recent[0].Status.Final() {
				return err
			}
		}
		return fmt.Errorf("schedule %s has ended, and was not triggered", id)
	})
}
