package durable

import "context"

// ready makes sure that the group's consumers exist before its first start, and that this client hears of ends. One call asks
// for all that come together.
func (c *Client) ready(ctx context.Context, group string) (topic string, err error) {
	for {
		topic, ensured, err := c.listen(group)
		if err != nil || ensured {
			return topic, err
		}
		c.mu.Lock()
		asked := c.ensuring[group]
		if asked == nil {
			asked = make(chan struct{})
			c.ensuring[group] = asked
			c.mu.Unlock()
			return topic, c.ensure(ctx, group, asked)
		}
		c.mu.Unlock()
		select {
		case <-asked:
		case <-ctx.Done():
			return "", ctx.Err()
		}
	}
}

func (c *Client) ensure(ctx context.Context, group string, asked chan<- struct{}) error {
	err := c.be.EnsureGroup(ctx, group)
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.ensuring, group)
	close(asked)
	if err == nil {
		c.ensured[group] = true
	}
	return err
}

// listen begins to hear of ends, and tells whether the group is known to have its consumers.
func (c *Client) listen(group string) (topic string, ensured bool, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return "", false, ErrClosed
	}
	if c.stop == nil {
		c.topic = c.be.Topic()
		if c.stop, err = c.be.Listen(c.topic, c.hear); err != nil {
			return "", false, err
		}
	}
	return c.topic, c.ensured[group], nil
}
