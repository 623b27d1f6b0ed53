package token_test

import (
	"bufio"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/opennotify/notify/deploy/emulators"
	"github.com/opennotify/notify/pkg/provider/token"
	"github.com/opennotify/notify/pkg/store/dynamo"
)

// What makes this binary a process that asks for tokens: where the table is, its name, and the vendor.
const childVar = "NOTIFY_TOKEN_CHILD"

func TestMain(m *testing.M) {
	if words := strings.Fields(os.Getenv(childVar)); len(words) == 3 {
		if err := child(words[0], words[1], words[2], os.Stdin, os.Stdout); err != nil {
			fmt.Println("error", err)
		}
		return
	}
	os.Exit(m.Run())
}

// perProcess is how many cold starts a process plays: so many that an emulator answers all of them while a lease lasts.
const perProcess = 150

// child does what it reads: ask lets every cache ask, drop lets every one be refused.
func child(endpoint, table, vendor string, in io.Reader, out io.Writer) error {
	client := dynamodb.NewFromConfig(aws.Config{Region: "us-east-1", BaseEndpoint: &endpoint, Credentials: credentials.NewStaticCredentialsProvider("test", "test", "")})
	records, err := openTable(client, table)
	if err != nil {
		return err
	}
	me := rand.Text()
	caches := make(fleet, perProcess)
	for i := range caches {
		caches[i] = token.Shared(time.Now, records, fmt.Sprint(me, i))
	}
	lines := bufio.NewScanner(in)
	last := ""
	for lines.Scan() {
		if lines.Text() == "drop" {
			caches.drop(last)
			fmt.Fprintln(out, "dropped")
			continue
		}
		fmt.Fprintln(out, "asking")
		got, err := caches.each(vendor)
		if err != nil {
			return err
		}
		last = got
		fmt.Fprintln(out, "token", got)
	}
	return lines.Err()
}

// each lets all ask at once; they must agree.
func (f fleet) each(vendor string) (string, error) {
	got, errs := make([]string, len(f)), make([]error, len(f))
	var wg sync.WaitGroup
	for i, c := range f {
		wg.Go(func() {
			ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
			defer cancel()
			got[i], errs[i] = c.Token(ctx, "k", func(ctx context.Context) (string, time.Duration, error) {
				req, err := http.NewRequestWithContext(ctx, http.MethodPost, vendor, nil)
				if err != nil {
					return "", 0, err
				}
				res, err := http.DefaultClient.Do(req)
				if err != nil {
					return "", 0, err
				}
				defer res.Body.Close()
				var answer struct{ Token string }
				err = json.NewDecoder(res.Body).Decode(&answer)
				return answer.Token, 2 * time.Hour, err
			})
		})
	}
	wg.Wait()
	if slices.Sort(got); got[0] != got[len(got)-1] {
		return "", fmt.Errorf("different tokens: %s and %s", got[0], got[len(got)-1])
	}
	return got[0], errors.Join(errs...)
}

func openTable(client *dynamodb.Client, table string) (token.Records, error) {
	return storeOver(context.Background(), dynamo.Open(client, dynamo.Options{Table: table}))
}

// process is a child and its two ends.
type process struct {
	in  io.Writer
	out *bufio.Scanner
}

func (p process) do(t *testing.T, what string) {
	t.Helper()
	if _, err := fmt.Fprintln(p.in, what); err != nil {
		t.Fatal(err)
	}
}

func (p process) says(t *testing.T, what string) string {
	t.Helper()
	if !p.out.Scan() || !strings.HasPrefix(p.out.Text(), what) {
		t.Fatalf("the child says %q, not %s: %v", p.out.Text(), what, p.out.Err())
	}
	return p.out.Text()
}

// TestProcesses: two processes, of more than a hundred cold starts each, over one table: one fetch for all, and
// one when all are refused.
func TestProcesses(t *testing.T) {
	t.Parallel()
	stack := emulators.Need(t, emulators.MiniStack)
	client := dynamodb.NewFromConfig(stack.AWS())
	table := "notify-" + rand.Text()
	if _, err := client.CreateTable(t.Context(), dynamo.Definition(table)); err != nil {
		t.Fatal(err)
	}
	if err := dynamodb.NewTableExistsWaiter(client).Wait(t.Context(), &dynamodb.DescribeTableInput{TableName: &table}, time.Minute); err != nil {
		t.Fatal(err)
	}
	if _, err := openTable(client, table); err != nil { // the keys are made once
		t.Fatal(err)
	}
	var fetches atomic.Int64
	both := make(chan struct{}) // asking
	vendor := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n := fetches.Add(1)
		select {
		case <-both:
		case <-r.Context().Done():
		}
		fmt.Fprintf(w, `{"token":"t%d"}`, n)
	}))
	t.Cleanup(vendor.Close)
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	var all []process
	for range 2 {
		cmd := exec.CommandContext(t.Context(), exe)
		cmd.Env = append(os.Environ(), childVar+"="+stack.URL+" "+table+" "+vendor.URL)
		cmd.Stderr = os.Stderr
		in, err := cmd.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			in.Close()
			_ = cmd.Wait() // it ends with its input; or with the test's context
		})
		all = append(all, process{in, bufio.NewScanner(out)})
	}
	round := func(want string) {
		t.Helper()
		for _, p := range all {
			p.do(t, "ask")
		}
		for _, p := range all {
			p.says(t, "asking")
		}
		select {
		case <-both:
		default:
			close(both)
		}
		for _, p := range all {
			if got := p.says(t, "token "); got != "token "+want {
				t.Errorf("%s, want %s", got, want)
			}
		}
	}
	round("t1")
	round("t1")
	for _, p := range all {
		p.do(t, "drop")
	}
	for _, p := range all {
		p.says(t, "dropped")
	}
	round("t2")
	if n := fetches.Load(); n != 2 {
		t.Errorf("%d fetches", n)
	}
}
