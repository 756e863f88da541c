package networks_test

import (
	"net/netip"
	"testing"

	"github.com/lambdarmor/lambdarmor/internal/networks"
)

func TestAnAddressIsInANetwork(t *testing.T) {
	list, err := networks.Parse("192.0.2.0/24", "198.51.100.7", "2001:db8::/32", "2001:db9::1")
	if err != nil {
		t.Fatal(err)
	}
	for addr, want := range map[string]bool{
		"192.0.2.0": true, "192.0.2.255": true, "192.0.3.0": false, "198.51.100.7": true, "198.51.100.8": false,
		"::ffff:192.0.2.9": true, "::ffff:192.0.3.9": false, "::192.0.2.9": false, "64:ff9b::192.0.2.9": false,
		"2001:db8:1::1": true, "2001:db9::1": true, "2001:db9::2": false, "2001:db8::1%eth0": false, "fe80::1%eth0": false,
	} {
		if got := list.Contains(netip.MustParseAddr(addr)); got != want {
			t.Errorf("%s: got %t, want %t", addr, got, want)
		}
	}
	if list.Contains(netip.Addr{}) {
		t.Error("no address: got true, want false")
	}
}

func TestANetworkThatIsNoneIsAnError(t *testing.T) {
	for _, text := range []string{"", "192.0.2.1/24", "192.0.2/24", "192.0.2.0/33", "::ffff:192.0.2.0/120", "::ffff:192.0.2.1", "fe80::1%eth0", "example.com", " 192.0.2.1"} {
		if _, err := networks.Parse("192.0.2.0/24", text); err == nil {
			t.Errorf("%q: got no error, want one", text)
		}
	}
	if _, err := networks.Parse(); err == nil {
		t.Error("none: got no error, want one")
	}
}
