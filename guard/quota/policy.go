package quota

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Policy is a number of requests that may pass in each window of time. Make it with
// [Allow].
type Policy struct {
	name   string
	limit  int64
	window int64 // in seconds
	per    []Key
}

// The largest integer of a structured field (RFC 9651, section 3.3.1), and the
// longest name.
const (
	maxLimit = 999_999_999_999_999
	maxName  = 64
)

// Allow returns a policy: limit requests a window for each value of the keys. Several
// keys count each combination of their values. Without a key all requests of the
// function share the quota.
//
// If the function isolates tenants, each tenant has quotas of its own. A caller who may
// choose the tenant avoids its quota by choosing another one: see origin.TenantClaim.
//
// The name is sent to clients in the RateLimit headers. Policies with one name,
// window and key share their counts: choose a name of its own for each. Windows are
// whole seconds. They begin at multiples of their length since 1970, so that a day begins
// at midnight UTC.
//
// Allow panics if the name is not 1 to 64 of the characters A-Z a-z 0-9 . _ -, if the
// limit is not in 1 to 999,999,999,999,999, if the window is not a positive number of
// whole seconds, or if a Key is the zero value.
func Allow(name string, limit int64, window time.Duration, per ...Key) Policy {
	other := func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune("._-", r)
	}
	switch {
	case name == "" || len(name) > maxName || strings.ContainsFunc(name, other):
		panic(fmt.Sprintf("quota: Allow with the name %.80q, must be 1 to %d of A-Z a-z 0-9 . _ -", name, maxName))
	case limit < 1 || limit > maxLimit:
		panic(fmt.Sprintf("quota: Allow %q with the limit %d, must be 1 to %d", name, limit, maxLimit))
	case window < time.Second || window%time.Second != 0:
		panic(fmt.Sprintf("quota: Allow %q with the window %v, must be whole seconds", name, window))
	}
	for _, key := range per {
		if key.find == nil {
			panic(fmt.Sprintf("quota: Allow %q with an empty Key", name))
		}
	}
	return Policy{name: name, limit: limit, window: int64(window / time.Second), per: slices.Clone(per)}
}

// endAt returns the end of the window that a time is in.
func (p *Policy) endAt(now time.Time) time.Time {
	return time.Unix(now.Unix()-now.Unix()%p.window+p.window, 0)
}

// share is the most that a process takes at a time.
func (p *Policy) share() int64 { return max(1, p.limit/10) }

// advertised is the policy as an item of RateLimit-Policy.
func (p *Policy) advertised() string {
	return `"` + p.name + `";q=` + strconv.FormatInt(p.limit, 10) + ";w=" + strconv.FormatInt(p.window, 10)
}

// state is an item of RateLimit: how many requests are left for how many seconds.
func (p *Policy) state(left, seconds int64) string {
	return `"` + p.name + `";r=` + strconv.FormatInt(left, 10) + ";t=" + strconv.FormatInt(seconds, 10)
}

// secondsUntil rounds up, so that a client does not come back early.
func secondsUntil(end, now time.Time) int64 {
	return int64((end.Sub(now) + time.Second - 1) / time.Second)
}
