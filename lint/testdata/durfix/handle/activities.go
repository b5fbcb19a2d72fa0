package handle

import "context"

//durable:activity handle=Shipping
func Ship(ctx context.Context, order string, n int) (string, error) { return order, nil }

//durable:activity
func Pack(order string) error { return nil }

//durable:activity
func Rest() error { return nil }
