package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/lambdarmor/lambdarmor/secrets/awsdynamo"
)

// listed is config.yaml: all that can be read through this extension.
type listed struct {
	Parameters []group
	Secrets    []group
	DynamoDB   []item
}

// group is the names of parameters or secrets of one region.
type group struct {
	Region string // the function's own if empty
	Names  []string
}

// item is where an item of a table is. Without a sort key the three fields of that
// are empty.
type item struct {
	Table                              string
	HashKey, HashKeyType, HashKeyValue string
	SortKey, SortKeyType, SortKeyValue string
}

// name is how the function asks for the item. It is compared as a whole and never
// taken apart.
func (it item) name() string {
	if it.SortKey == "" {
		return it.Table + "-" + it.HashKeyValue
	}
	return it.Table + "-" + it.HashKeyValue + "-" + it.SortKeyValue
}

func (it item) keys() (awsdynamo.Item, error) {
	found := awsdynamo.Item{Table: it.Table}
	var err error
	if it.Table == "" || it.HashKey == "" {
		return found, errors.New("it needs table, hashkey, hashkeytype and hashkeyvalue")
	}
	if found.Hash, err = key("hashkey", it.HashKey, it.HashKeyType, it.HashKeyValue); err != nil {
		return found, err
	}
	if it.SortKey == "" && it.SortKeyType+it.SortKeyValue != "" {
		return found, errors.New("it has a sort key's type or value and no sortkey")
	}
	if it.SortKey == it.HashKey {
		return found, fmt.Errorf("sortkey is %q, as hashkey", it.SortKey)
	}
	if it.SortKey != "" {
		found.Sort, err = key("sortkey", it.SortKey, it.SortKeyType, it.SortKeyValue)
	}
	return found, err
}

func key(field, name, kind, value string) (awsdynamo.Key, error) {
	switch {
	case value == "":
		return awsdynamo.Key{}, fmt.Errorf("%svalue is empty", field)
	case kind == "S":
		return awsdynamo.Text(name, value), nil
	case kind == "N" && json.Valid([]byte(value)) && strings.Trim(value, "-0123456789.eE+") == "":
		return awsdynamo.Number(name, value), nil
	case kind == "N":
		return awsdynamo.Key{}, fmt.Errorf("%svalue is %q, which is no number", field, value)
	}
	return awsdynamo.Key{}, fmt.Errorf("%stype is %q, want S or N", field, kind)
}

// readConfig reads config.yaml strictly: an unknown field, an empty name or one
// name for two values is an error.
func readConfig(file string) (listed, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return listed{}, err
	}
	c, err := parseConfig(text)
	if err != nil {
		return listed{}, fmt.Errorf("%s: %w", file, err)
	}
	return c, nil
}

func parseConfig(text []byte) (c listed, err error) {
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	decoder.KnownFields(true)
	if err := decoder.Decode(&c); err != nil && !errors.Is(err, io.EOF) {
		return c, err
	}
	if err := decoder.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return c, errors.New("there is a second document")
	}
	for kind, groups := range map[string][]group{parameters: c.Parameters, secretValues: c.Secrets} {
		var taken []string
		for i, g := range groups {
			for j, name := range g.Names {
				at := fmt.Sprintf("%s[%d].names[%d]", kind, i, j)
				switch {
				case name == "":
					return c, fmt.Errorf("%s is empty", at)
				case kind == parameters && strings.HasSuffix(name, "/"):
					return c, fmt.Errorf("%s is %q, which is a path; list the parameters", at, name)
				case slices.Contains(taken, name):
					return c, fmt.Errorf("%s is %q, which is there already", at, name)
				}
				taken = append(taken, name)
			}
		}
	}
	var taken []string
	for i, it := range c.DynamoDB {
		if _, err := it.keys(); err != nil {
			return c, fmt.Errorf("%s[%d]: %w", items, i, err)
		}
		if slices.Contains(taken, it.name()) {
			return c, fmt.Errorf("%s[%d]: its name %q stands for another item already", items, i, it.name())
		}
		taken = append(taken, it.name())
	}
	return c, nil
}
