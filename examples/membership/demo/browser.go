package demo

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/durablegen/durablegen/examples/membership/web"
)

// browser uses the site as a person's browser does, but asks for JSON, which is easier to read for a program.
type browser struct {
	site   string
	client *http.Client
}

const pageLimit = 4 << 20

// open reads a page.
func (b browser) open(ctx context.Context, path string, into any) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, b.site+path, nil)
	if err != nil {
		return err
	}
	return b.do(request, into)
}

// post sends a form and, as a browser does, reads the page it leads to.
func (b browser) post(ctx context.Context, path string, form url.Values, into any) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, b.site+path, strings.NewReader(form.Encode()))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return b.do(request, into)
}

func (b browser) do(request *http.Request, into any) error {
	request.Header.Set("Accept", "application/json")
	response, err := b.client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, pageLimit))
	if err != nil {
		return fmt.Errorf("%s %s: %w", request.Method, request.URL.Path, err)
	}
	if response.StatusCode != http.StatusOK {
		var trouble web.Trouble
		_ = json.Unmarshal(body, &trouble) // the status says enough when the body does not
		return fmt.Errorf("%s %s: %s: %s", request.Method, request.URL.Path, response.Status, trouble.Text)
	}
	if err := json.Unmarshal(body, into); err != nil {
		return fmt.Errorf("%s %s: %w", request.Method, request.URL.Path, err)
	}
	return nil
}
