package origin_test

import (
	"encoding/json"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// The page has a control for every rule, and its policies are JSON.
func TestThePageHasAPolicyForEachRule(t *testing.T) {
	page, err := os.ReadFile("../../docs/origin.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(page), "|---|---|\n")
	table, _, _ := strings.Cut(rest, "\n\n")
	var listed []string
	for _, found := range regexp.MustCompile("`([A-Za-z]+)`").FindAllStringSubmatch(firstColumn(table), -1) {
		listed = append(listed, found[1])
	}
	slices.Sort(listed)
	want := []string{
		"API", "Account", "BucketOwner", "ClientCert", "ClientIP", "Domain", "ForwardedIP", "Header", "Qualified", "Region", "Source",
		"Stage", "Tenant", "TenantClaim", "VPCEndpoint",
	}
	if !reflect.DeepEqual(listed, want) {
		t.Errorf("got rules %v, want %v", listed, want)
	}
	for _, name := range want {
		if !regexp.MustCompile(`(?m)^## .*\b` + name + `\b`).Match(page) {
			t.Errorf("got no section for %s, want one", name)
		}
	}
	sections := strings.Split(string(page), "\n## ")
	for _, section := range sections[1 : len(sections)-1] {
		title, _, _ := strings.Cut(section, "\n")
		blocks := regexp.MustCompile("(?s)```json\n(.*?)```").FindAllStringSubmatch(section, -1)
		if len(blocks) == 0 {
			t.Errorf("%s: got no policy, want one", title)
		}
		for _, block := range blocks {
			if !json.Valid([]byte(block[1])) {
				t.Errorf("%s: got %s, want JSON", title, block[1])
			}
		}
	}
}

func firstColumn(table string) string {
	var out strings.Builder
	for row := range strings.Lines(table) {
		if cells := strings.Split(row, "|"); len(cells) > 1 {
			out.WriteString(cells[1])
		}
	}
	return out.String()
}
