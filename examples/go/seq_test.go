// The tests of the iterator for range.

//go:build go1.23

package apivideo_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"example.com/apivideo"
)

func TestAllGoesThroughAllPages(t *testing.T) {
	client := quickClient(t)
	made := map[string]apivideo.Token{}
	for i := 0; i < 7; i++ {
		token := create(t, client, time.Hour)
		made[token.ID] = token
	}
	found := 0
	for token, err := range client.AllTokens(background, apivideo.ListParams{PageSize: 2}) {
		if err != nil {
			t.Fatal(err)
		}
		if token == made[token.ID] {
			found++
		}
	}
	if found != 7 {
		t.Errorf("%d of the 7", found)
	}
}

func TestAllCanBeLeftEarly(t *testing.T) {
	descriptors := openDescriptors(t)
	client := quickClient(t)
	create(t, client, time.Hour)
	for _, err := range client.AllTokens(background, apivideo.ListParams{}) {
		if err != nil {
			t.Fatal(err)
		}
		break
	}
	// An iterator that was not closed would keep the connection.
	client.Close()
	until(t, "the connection is closed", func() bool { return openDescriptors(t) <= descriptors })
}

func TestAllTellsAnErrorOnce(t *testing.T) {
	ctx, cancel := context.WithCancel(background)
	cancel()
	rounds := 0
	for token, err := range quickClient(t).AllTokens(ctx, apivideo.ListParams{}) {
		rounds++
		if !errors.Is(err, context.Canceled) || token != (apivideo.Token{}) {
			t.Errorf("%+v, %v", token, err)
		}
	}
	if rounds != 1 {
		t.Errorf("%d rounds", rounds)
	}
}
