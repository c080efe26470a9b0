// The tokens, and the four things to do with them.

package apivideo

// #include <apivideo.h>
import "C"

import (
	"context"
	"fmt"
	"math"
	"time"
	"unsafe"
)

// Never is the time to live of a token that never expires. It is a value that nobody comes to by
// accident: neither zero, nor negative by a little, nor what a difference of times ends at.
const Never time.Duration = -1 << 62

// Token is an upload token.
type Token struct {
	// ID is the token: its id and the secret in one, so treat it as a password.
	ID string
	// TTL is the time to live; Never if it never expires, 0 if that was not told.
	TTL time.Duration
	// CreatedAt is when it was made, in UTC; zero if that was not told.
	CreatedAt time.Time
	// ExpiresAt is when it ends, in UTC; zero is never if TTL is Never, otherwise not told.
	ExpiresAt time.Time
}

// Page is one page of tokens.
type Page struct {
	Tokens []Token
	// ItemsTotal is how many tokens there are on all pages, PagesTotal how many pages, CurrentPage
	// the number of this one from 1, and PageSize how many tokens it holds at most; 0 is not told.
	ItemsTotal                        uint64
	PagesTotal, CurrentPage, PageSize uint32
}

// ListParams are what to list; what is zero is left to the service.
type ListParams struct {
	// CurrentPage is the page, from 1; of an iterator: where it begins.
	CurrentPage uint32
	// PageSize is how many tokens a page holds at most, 1 to 100; 0 is 25.
	PageSize  uint32
	SortBy    SortBy
	SortOrder SortOrder
}

// SortBy is what to sort tokens by.
type SortBy int32

// SortOrder is the direction to sort tokens in.
type SortOrder int32

const (
	SortByDefault   SortBy = C.AV_TOKEN_SORT_DEFAULT
	SortByCreatedAt SortBy = C.AV_TOKEN_SORT_CREATED_AT
	SortByTTL       SortBy = C.AV_TOKEN_SORT_TTL // by how long a token is still valid

	SortOrderDefault SortOrder = C.AV_SORT_DEFAULT
	Ascending        SortOrder = C.AV_SORT_ASC
	Descending       SortOrder = C.AV_SORT_DESC
)

// CreateToken makes a token that is valid for ttl: 1 to 2147483647 seconds, rounded up to whole ones, or
// Never, for ever. Unless the Outcome of an error is OutcomeNotApplied, a token may have been made that
// nobody knows of.
func (c *Client) CreateToken(ctx context.Context, ttl time.Duration) (Token, error) {
	seconds, err := ttlSeconds(ttl)
	if err != nil {
		return Token{}, err
	}
	var token *C.av_token
	err = c.call(ctx, func(options *C.av_request_options, failure **C.av_error) {
		C.av_tokens_create(c.handle, seconds, options, &token, failure)
	})
	if err != nil {
		return Token{}, err
	}
	defer C.av_token_free(token)
	return newToken(token), nil
}

// GetToken looks up one token that is active; ErrNotFound if it was never made, expired or was deleted.
func (c *Client) GetToken(ctx context.Context, id string) (Token, error) {
	text := cStrings{}
	defer text.free()
	cID, err := text.add("id", id)
	if err != nil {
		return Token{}, err
	}
	var found *C.av_token
	err = c.call(ctx, func(options *C.av_request_options, failure **C.av_error) {
		C.av_tokens_get(c.handle, cID, options, &found, failure)
	})
	if err != nil {
		return Token{}, err
	}
	defer C.av_token_free(found)
	return newToken(found), nil
}

// ListTokens lists one page of the active tokens. For all pages see Tokens.
func (c *Client) ListTokens(ctx context.Context, params ListParams) (Page, error) {
	cParams := params.toC()
	var page *C.av_token_page
	err := c.call(ctx, func(options *C.av_request_options, failure **C.av_error) {
		C.av_tokens_list(c.handle, &cParams, options, &page, failure)
	})
	if err != nil {
		return Page{}, err
	}
	defer C.av_token_page_free(page)
	result := Page{
		Tokens:      make([]Token, 0, page.count),
		ItemsTotal:  uint64(page.items_total),
		PagesTotal:  uint32(page.pages_total),
		CurrentPage: uint32(page.current_page),
		PageSize:    uint32(page.page_size),
	}
	for _, token := range unsafe.Slice(page.items, page.count) {
		result.Tokens = append(result.Tokens, newToken(token))
	}
	return result, nil
}

// DeleteToken revokes a token: nothing more can be uploaded with it. ErrNotFound if it was never made,
// expired or was deleted already.
func (c *Client) DeleteToken(ctx context.Context, id string) error {
	text := cStrings{}
	defer text.free()
	cID, err := text.add("id", id)
	if err != nil {
		return err
	}
	return c.call(ctx, func(options *C.av_request_options, failure **C.av_error) {
		C.av_tokens_delete(c.handle, cID, options, failure)
	})
}

// Tokens goes through all active tokens of all pages, the oldest first unless params sort:
//
//	tokens := client.Tokens(apivideo.ListParams{})
//	defer tokens.Close()
//	for tokens.Next(ctx) {
//		use(tokens.Token())
//	}
//	if err := tokens.Err(); err != nil { … }
//
// Where tokens are deleted or expire meanwhile, others may be skipped: to delete, collect first. With
// Go 1.23 or newer, AllTokens does the same for range.
func (c *Client) Tokens(params ListParams) *Iterator {
	return &Iterator{client: c, params: params}
}

// Iterator is the way through all tokens of all pages, for one goroutine at a time.
type Iterator struct {
	client *Client
	params ListParams
	handle *C.av_token_iter // nil before the first Next, and from the end on
	ended  bool
	token  Token
	err    error
}

// Next goes to the next token, which makes a request when it comes to a new page. It is false at the
// end, and after an error: then the next Next tries the same page again.
func (i *Iterator) Next(ctx context.Context) bool {
	i.token, i.err = Token{}, nil
	if i.ended {
		return false
	}
	if i.handle == nil {
		if i.err = i.begin(); i.err != nil {
			return false
		}
	}
	var token *C.av_token
	i.err = i.client.call(ctx, func(options *C.av_request_options, failure **C.av_error) {
		C.av_token_iter_next(i.handle, options, &token, failure)
	})
	if i.err != nil {
		return false
	}
	if token == nil {
		i.Close()
		return false
	}
	i.token = newToken(token) // now: the library's own lives until the next call
	return true
}

func (i *Iterator) begin() error {
	if err := i.client.enter(); err != nil {
		return err
	}
	params := i.params.toC()
	var failure *C.av_error
	if C.av_tokens_iterate(i.client.handle, &params, &i.handle, &failure) != C.AV_STATUS_OK {
		i.client.leave()
		return newError(failure)
	}
	return nil
}

// Token is the token that Next has gone to.
func (i *Iterator) Token() Token { return i.token }

// Err is why Next was false; nil at the end.
func (i *Iterator) Err() error { return i.err }

// Close ends the iterator, as its end does; closing twice does no harm. The error is always nil.
func (i *Iterator) Close() error {
	i.ended = true
	if i.handle != nil {
		C.av_token_iter_free(i.handle)
		i.handle = nil
		i.client.leave()
	}
	return nil
}

func (p ListParams) toC() C.av_tokens_list_params {
	return C.av_tokens_list_params{
		struct_size:  C.sizeof_av_tokens_list_params,
		current_page: C.uint32_t(p.CurrentPage),
		page_size:    C.uint32_t(p.PageSize),
		sort_by:      C.int32_t(p.SortBy),
		sort_order:   C.int32_t(p.SortOrder),
	}
}

// ttlSeconds rounds up. It is 0, the library's word for ever, for nothing but Never.
func ttlSeconds(ttl time.Duration) (C.uint32_t, error) {
	if ttl == Never {
		return 0, nil
	}
	if ttl < time.Second || ttl > math.MaxInt32*time.Second {
		return 0, newInvalidArgument(fmt.Sprintf("ttl is %v, and must be Never or from 1 s to %d s", ttl, math.MaxInt32))
	}
	return C.uint32_t((ttl + time.Second - 1) / time.Second), nil
}

func newTTL(seconds C.int32_t) time.Duration {
	switch {
	case seconds < 0:
		return 0 // not told
	case seconds == 0:
		return Never
	}
	return time.Duration(seconds) * time.Second
}

// newToken copies a token of the library.
func newToken(token *C.av_token) Token {
	return Token{
		ID:        C.GoString(token.token),
		TTL:       newTTL(token.ttl_seconds),
		CreatedAt: newTime(token.created_at),
		ExpiresAt: newTime(token.expires_at),
	}
}

func newTime(seconds C.int64_t) time.Time {
	if seconds == 0 {
		return time.Time{}
	}
	return time.Unix(int64(seconds), 0).UTC()
}
