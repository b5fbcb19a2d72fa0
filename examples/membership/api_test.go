package main

import (
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"github.com/durablegen/durablegen/examples/membership/club"
)

// TestAPI: who has the key finds the applications on the management API beside the pages; without a key there is none.
func TestAPI(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		key, asked string
		want       int
	}{
		"with the key": {"k", "k", http.StatusOK}, "without": {"k", "", http.StatusUnauthorized}, "none is set": {"", "k", http.StatusNotFound},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := quiet(t.TempDir())
			s.apiKey = test.key
			h, err := open(t.Context(), s, false)
			if err != nil {
				t.Fatal(err)
			}
			defer func() {
				if err := h.close(); err != nil {
					t.Error(err)
				}
			}()
			site, err := h.serveSite("127.0.0.1:0", club.HouseRules(time.Minute))
			if err != nil {
				t.Fatal(err)
			}
			office := club.Office{Client: h.client, Rules: club.HouseRules(time.Minute)}
			if err := office.Apply(t.Context(), club.Applicant{ID: "ann", Name: "Ann", Email: "ann@example.org", Phone: "+49 30 1"}); err != nil {
				t.Fatal(err)
			}
			res, err := http.Get(site + "/runtime/webhooks/durabletask/instances?code=" + test.asked)
			if err != nil {
				t.Fatal(err)
			}
			defer res.Body.Close()
			var all []struct{ InstanceID, Name string }
			if res.StatusCode == http.StatusOK {
				if err := json.NewDecoder(res.Body).Decode(&all); err != nil || len(all) != 1 {
					t.Errorf("listed %v, %v; want one application", all, err)
				}
			}
			if res.StatusCode != test.want {
				t.Errorf("status %d, want %d", res.StatusCode, test.want)
			}
		})
	}
}
