// Links the shared library, unless the build tag apivideo_static is set: see link_static.go.

//go:build !apivideo_static

package apivideo

// #cgo pkg-config: apivideo
import "C"
