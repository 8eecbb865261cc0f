// Command pexko turns Python projects into container images; see `pexko help`.
package main

import (
	"context"
	"os"

	"github.com/pexko/pexko/internal/cli"
)

func main() {
	os.Exit(cli.Main(context.Background(), os.Args[1:], os.Environ(), cli.OS()))
}
