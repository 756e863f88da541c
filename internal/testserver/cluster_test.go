package testserver

import (
	"fmt"
	"strings"
	"testing"
)

func TestClusterSharesItsKeys(t *testing.T) {
	cluster := ValkeyCluster(t)
	for i := range 20 { // of keys, each of another slot
		served := 0
		for _, s := range cluster {
			switch got := say(t, s, fmt.Sprintf("SET key-%d blue", i)); {
			case got == "+OK":
				served++
			case !strings.HasPrefix(got, "-MOVED "):
				t.Errorf("SET answered %q", got)
			}
		}
		if served != 1 {
			t.Errorf("%d nodes serve key-%d", served, i)
		}
	}
	for _, s := range cluster {
		if got := say(t, s, "DBSIZE"); got == ":0" || got == ":20" {
			t.Errorf("one has %s keys of 20", got[1:])
		}
	}

	if err := cluster[1].Restart(); err != nil {
		t.Fatal(err)
	}
	for _, s := range cluster {
		if err := s.awaitCluster(len(cluster)); err != nil {
			t.Error(err)
		}
	}
	if got := say(t, cluster[1], "DBSIZE"); got != ":0" {
		t.Errorf("a restarted node has %s keys", got[1:])
	}
}
