// Package emulators installs and starts what the tests talk to instead of AWS: MiniStack, DynamoDB Local,
// LocalStack, and the real SAM CLI. Only tests and the command in run import it.
//
// A test says what it needs and gets it running on a free port of 127.0.0.1:
//
//	stack := emulators.Need(t, emulators.MiniStack)
//	client := sqs.NewFromConfig(stack.AWS())
//
// Everything is pinned and installed once into a cache folder (.cache at the repository's root, or
// NOTIFY_CACHE), keyed by its list of requirements. What cannot be had (no Python, no Java, no registry)
// is never skipped silently: the test is skipped with a line EMULATOR MISSING, and `make test` counts. So does what
// is no emulator and is not here, a browser or a language: [Skip].
//
// `make test` starts one MiniStack and one LocalStack for all packages, so a test must name its tables
// and queues uniquely. Under plain `go test` each test that asks starts its own.
package emulators
