// Links the shared library, unless the build tag apivideo_static is set: see link_static.go. On Windows
// CGO_CFLAGS and CGO_LDFLAGS tell where it is.

//go:build !apivideo_static

package apivideo

// #cgo !windows pkg-config: apivideo
// #cgo windows LDFLAGS: -lapivideo
import "C"
