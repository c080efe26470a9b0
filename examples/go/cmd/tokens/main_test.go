// The tests of the program, against the stand-in service.

package main

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"

	"example.com/apivideo"
)

func TestCreateListDelete(t *testing.T) {
	var out bytes.Buffer
	tokens := func(arguments ...string) (string, error) {
		out.Reset()
		err := run(context.Background(), arguments, &out)
		return out.String(), err
	}
	created, err := tokens("create", "1h")
	if err != nil {
		t.Fatal(err)
	}
	token := strings.TrimSpace(created)
	if listed, err := tokens("list"); err != nil || !strings.Contains(listed, token+" 20") {
		t.Errorf("%q, %v", listed, err)
	}
	if _, err := tokens("delete", token); err != nil {
		t.Error(err)
	}
	if _, err := tokens("delete", token); !errors.Is(err, apivideo.ErrNotFound) {
		t.Error(err)
	}
	if _, err := tokens("create"); err == nil || !strings.HasPrefix(err.Error(), "usage:") {
		t.Error(err)
	}
	for _, ttl := range []string{"0", "0s", "1ms", "-1h", "3600", ""} {
		if created, err := tokens("create", ttl); err == nil {
			t.Errorf("create %s made %s", ttl, created)
		}
	}
	endless, err := tokens("create", "never")
	if err != nil {
		t.Fatal(err)
	}
	token = strings.TrimSpace(endless)
	if listed, err := tokens("list"); err != nil || !strings.Contains(listed, token+" never") {
		t.Errorf("%q, %v", listed, err)
	}
	if _, err := tokens("delete", token); err != nil {
		t.Error(err)
	}
}
