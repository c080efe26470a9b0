// The iterator for range, with Go 1.23 or newer.

//go:build go1.23

package apivideo

import (
	"context"
	"iter"
)

// AllTokens goes through all active tokens of all pages, the oldest first unless params sort. After an error,
// which comes with the zero Token, it ends.
func (c *Client) AllTokens(ctx context.Context, params ListParams) iter.Seq2[Token, error] {
	return func(yield func(Token, error) bool) {
		tokens := c.Tokens(params)
		defer tokens.Close()
		for tokens.Next(ctx) {
			if !yield(tokens.Token(), nil) {
				return
			}
		}
		if err := tokens.Err(); err != nil {
			yield(Token{}, err)
		}
	}
}
