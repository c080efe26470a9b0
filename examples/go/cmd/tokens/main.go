// The program tokens makes, lists and revokes the upload tokens of an api.video account. Ctrl-C ends
// the call under way, and the error tells what may have happened.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"time"

	"example.com/apivideo"
)

const usage = `usage: tokens create TTL | list | delete TOKEN
TTL is a duration such as 90s or 24h; never is for ever.
APIVIDEO_API_KEY is the key; APIVIDEO_BASE_URL is the service, unless it is production.`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Args[1:], os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "tokens:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, arguments []string, out io.Writer) error {
	client, err := apivideo.New(apivideo.Config{
		APIKey:  os.Getenv("APIVIDEO_API_KEY"),
		BaseURL: os.Getenv("APIVIDEO_BASE_URL"),

		AppName:    "tokens",
		AppVersion: "0.1",
	})
	if err != nil {
		return err
	}
	defer client.Close()

	switch {
	case len(arguments) == 2 && arguments[0] == "create":
		ttl := apivideo.Never
		if arguments[1] != "never" {
			var err error
			if ttl, err = time.ParseDuration(arguments[1]); err != nil {
				return err
			}
		}
		return create(ctx, client, ttl, out)
	case len(arguments) == 1 && arguments[0] == "list":
		return list(ctx, client, out)
	case len(arguments) == 2 && arguments[0] == "delete":
		return client.DeleteToken(ctx, arguments[1])
	}
	return errors.New(usage)
}

func create(ctx context.Context, client *apivideo.Client, ttl time.Duration, out io.Writer) error {
	token, err := client.CreateToken(ctx, ttl)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(out, token.ID)
	return err
}

func list(ctx context.Context, client *apivideo.Client, out io.Writer) error {
	tokens := client.Tokens(apivideo.ListParams{})
	defer tokens.Close()
	for tokens.Next(ctx) {
		if _, err := fmt.Fprintln(out, tokens.Token().ID, expiry(tokens.Token())); err != nil {
			return err
		}
	}
	return tokens.Err()
}

func expiry(token apivideo.Token) string {
	switch {
	case !token.ExpiresAt.IsZero():
		return token.ExpiresAt.Format(time.RFC3339)
	case token.TTL == apivideo.Never:
		return "never"
	}
	return "unknown"
}
