// Links the static library: go build -tags apivideo_static. The archive comes first and has all, so
// that --as-needed drops the shared library, which pkg-config names after it; --static names what the
// archive itself needs.

//go:build apivideo_static

package apivideo

// #cgo !windows pkg-config: --static apivideo
// #cgo !windows LDFLAGS: -l:libapivideo.a -Wl,--as-needed
// #cgo windows LDFLAGS: -l:libapivideo.a -lws2_32 -lcrypt32 -lbcrypt -ladvapi32 -luserenv -ldbghelp -lntdll -lkernel32
import "C"
