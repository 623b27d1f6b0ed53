// Command cold measures how long the functions take from exec to their first poll of the Lambda Runtime
// API, beside a program that builds the same SDK clients and makes the same two calls. It plays the Runtime
// API, DynamoDB and KMS itself, on 127.0.0.1; what AWS adds (sandbox, download, TLS) is not in it.
//
//	go run ./bench/cold
package main

import (
	"encoding/base64"
	"flag"
	"fmt"
	"hash/crc32"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// programs are what is started. Functions that read phone numbers are held to a floor that links the
// numbering plans too.
var programs = []struct{ name, path, tags, floor string }{
	{"floor", "./bench/cold/floor", "lambda.norpc", "floor"},
	{"floor+phone", "./bench/cold/floor", "lambda.norpc,phone", "floor+phone"},
	{"floor+ses", "./bench/cold/floor", "lambda.norpc,ses", "floor+ses"},
	{"ingest", "./functions/ingest", "lambda.norpc", "floor+phone"},
	{"deliver", "./functions/deliver", "lambda.norpc", "floor+ses"},
	{"schedule", "./functions/schedule", "lambda.norpc", "floor+phone"},
	{"receipt", "./functions/receipt", "lambda.norpc", "floor+ses"},
	{"admin", "./functions/admin", "lambda.norpc", "floor+phone"},
}

func main() {
	starts := flag.Int("n", 20, "starts of each program")
	flag.Parse()
	if err := run(*starts); err != nil {
		fmt.Fprintln(os.Stderr, "cold:", err)
		os.Exit(1)
	}
}

func run(starts int) error {
	dir, err := os.MkdirTemp("", "notify-cold-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	for _, p := range programs {
		build := exec.Command("go", "build", "-tags", p.tags, "-trimpath", "-ldflags", "-s -w", "-o", filepath.Join(dir, p.name), p.path)
		build.Env = append(os.Environ(), "CGO_ENABLED=0")
		build.Stderr = os.Stderr
		if err := build.Run(); err != nil {
			return fmt.Errorf("build %s: %w", p.path, err)
		}
	}
	polls := make(chan time.Time, 1)
	api, err := serve(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/invocation/next") {
			polls <- time.Now()
			<-r.Context().Done()
		}
	})
	if err != nil {
		return err
	}
	cloud, err := serve(answer)
	if err != nil {
		return err
	}
	took := map[string][]time.Duration{}
	for range starts {
		for _, p := range programs { // interleaved: the machine drifts
			d, err := start(filepath.Join(dir, p.name), api, cloud, polls)
			if err != nil {
				return fmt.Errorf("%s: %w", p.name, err)
			}
			took[p.name] = append(took[p.name], d)
		}
	}
	fmt.Println("| program | exec to first poll, p50 (min-max) | over the floor | binary MB |")
	fmt.Println("|---|---|---|---|")
	for _, p := range programs {
		slices.Sort(took[p.name])
	}
	for _, p := range programs {
		d, floor := took[p.name], took[p.floor]
		st, err := os.Stat(filepath.Join(dir, p.name))
		if err != nil {
			return err
		}
		ms := func(d time.Duration) float64 { return d.Seconds() * 1000 }
		fmt.Printf("| %s | %.1f ms (%.1f-%.1f) | %.2f | %.1f |\n", p.name, ms(d[len(d)/2]), ms(d[0]), ms(d[len(d)-1]),
			float64(d[len(d)/2])/float64(floor[len(floor)/2]), float64(st.Size())/(1<<20))
	}
	return nil
}

func serve(h http.HandlerFunc) (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	go http.Serve(l, h)
	return l.Addr().String(), nil
}

// answer plays DynamoDB's GetItem and KMS's Decrypt.
func answer(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", r.Header.Get("Content-Type"))
	key := base64.StdEncoding.EncodeToString(make([]byte, 32))
	body := `{}`
	switch target := r.Header.Get("X-Amz-Target"); {
	case strings.HasSuffix(target, ".GetItem"):
		body = fmt.Sprintf(`{"Item":{"pk":{"S":"key"},"sk":{"S":"hmac"},"v":{"N":"1"},"d":{"B":%q}}}`, key)
	case strings.HasSuffix(target, ".Decrypt"):
		body = fmt.Sprintf(`{"KeyId":"key","Plaintext":%q}`, key)
	}
	w.Header().Set("X-Amz-Crc32", strconv.FormatUint(uint64(crc32.ChecksumIEEE([]byte(body))), 10))
	io.WriteString(w, body)
}

// start runs a program with nothing but what a function has in its environment.
func start(path, api, cloud string, polls <-chan time.Time) (time.Duration, error) {
	cmd := exec.Command(path)
	cmd.Env = []string{"AWS_LAMBDA_RUNTIME_API=" + api, "AWS_ENDPOINT_URL=http://" + cloud, "AWS_REGION=us-east-1", "AWS_ACCESS_KEY_ID=test", "AWS_SECRET_ACCESS_KEY=test",
		"NOTIFY_STACK=notify", "NOTIFY_TABLE=notify", "NOTIFY_KMS_KEY=key", "NOTIFY_STAGE=prod", "NOTIFY_ACCOUNT=000000000000", "NOTIFY_DUE_SHARDS=4"}
	cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
	began := time.Now()
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	defer func() { cmd.Process.Kill(); cmd.Wait() }()
	select {
	case at := <-polls:
		return at.Sub(began), nil
	case <-time.After(10 * time.Second):
		return 0, fmt.Errorf("did not poll within 10 s")
	}
}
