package emulators

import (
	_ "embed"
	"fmt"
	"net/http"
	"os"
	"path/filepath"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
)

// Name is an emulator, as people and environment variables call it.
type Name string

const (
	// MiniStack is most of AWS in one process: DynamoDB, SQS, SNS, Lambda, API Gateway, CloudFormation.
	MiniStack Name = "ministack"
	// LocalStack is a second opinion on SQS, SNS and Scheduler; it alone has StartMessageMoveTask.
	LocalStack Name = "localstack"
	// DynamoDBLocal is AWS's own; it listens on every interface, so it runs only inside [InNamespace].
	DynamoDBLocal Name = "dynamodb-local"
	// SAM is no server: the tools sam and cfn-lint, found by [Emulator.Tool].
	SAM Name = "samcli"
)

// All is every emulator, in the order in which they are reported.
func All() []Name { return []Name{MiniStack, LocalStack, DynamoDBLocal, SAM} }

// Servers are those that one process can share between all test packages.
func Servers() []Name { return []Name{MiniStack, LocalStack} }

// Emulator is one that is installed and, unless it is a set of tools, running.
type Emulator struct {
	Name Name
	// URL is its endpoint, http://127.0.0.1:<port>; "" for tools.
	URL string
	// Dir is where it is installed.
	Dir  string
	stop func()
	log  func() string
}

// Stop ends the process and everything that it started, and returns when they are gone. It may be called
// more than once. A shared emulator goes on for the others.
func (e *Emulator) Stop() {
	if e.stop != nil {
		e.stop()
	}
}

// Tool is the path of one of its commands, such as sam or cfn-lint.
func (e *Emulator) Tool(name string) string { return filepath.Join(e.Dir, "bin", name) }

const (
	region = "us-east-1"
	secret = "test"
)

// AWS is the configuration for SDK clients that talk to it.
func (e *Emulator) AWS() aws.Config {
	return aws.Config{
		Region:       region,
		BaseEndpoint: aws.String(e.URL),
		Credentials:  credentials.NewStaticCredentialsProvider(secret, secret, ""),
	}
}

// Env is the same for processes: what to add to the environment of sam, or of a function.
func (e *Emulator) Env() []string {
	return []string{
		"AWS_ENDPOINT_URL=" + e.URL,
		"AWS_REGION=" + region,
		"AWS_DEFAULT_REGION=" + region,
		"AWS_ACCESS_KEY_ID=" + secret,
		"AWS_SECRET_ACCESS_KEY=" + secret,
	}
}

// MissingError tells why an emulator cannot be had on this machine.
type MissingError struct {
	Name   Name
	Reason string
}

func (e *MissingError) Error() string {
	return fmt.Sprintf("EMULATOR MISSING: %s: %s", e.Name, e.Reason)
}

var (
	//go:embed ministack.txt
	ministackPins []byte
	//go:embed localstack.txt
	localstackPins []byte
	//go:embed samcli.txt
	samcliPins []byte
	//go:embed dynamodb-local.xml
	dynamodbPins []byte
)

// recipe is how one emulator is installed and started.
type recipe struct {
	version string
	pins    []byte
	java    bool
	// start gives the command and what its environment has beside PATH, HOME and TMPDIR; nil for tools.
	start func(dir, scratch, port string) (argv, env []string)
	// healthy judges an answer of the health path.
	health  string
	healthy func(status int) bool
}

func ok(status int) bool { return status == http.StatusOK }

func recipeOf(name Name) recipe {
	switch name {
	case MiniStack:
		return recipe{version: "1.5.33", pins: ministackPins, start: startMiniStack, health: "/_ministack/health", healthy: ok}
	case LocalStack:
		return recipe{version: "4.14.0", pins: localstackPins, start: startLocalStack, health: "/_localstack/health", healthy: ok}
	case DynamoDBLocal:
		// It has no health path: any answer, even a refusal, says that it listens.
		return recipe{version: "3.1.0", pins: dynamodbPins, java: true, start: startDynamoDBLocal, health: "/", healthy: func(int) bool { return true }}
	case SAM:
		return recipe{version: "1.170.0", pins: samcliPins}
	}
	panic("emulators: no such emulator: " + string(name))
}

// Version is the pinned version.
func (n Name) Version() string { return recipeOf(n).version }

// startMiniStack binds 127.0.0.1, not every interface as is its default. AWS_ENDPOINT_URL reaches the
// functions that it runs; without it they would call the real AWS.
func startMiniStack(dir, _, port string) (argv, env []string) {
	return []string{filepath.Join(dir, "bin", "ministack")}, []string{
		"BIND_HOST=127.0.0.1",
		"MINISTACK_HOST=127.0.0.1",
		"GATEWAY_PORT=" + port,
		"LAMBDA_EXECUTOR=local",
		"AWS_ENDPOINT_URL=http://127.0.0.1:" + port,
	}
}

// startLocalStack uses hypercorn: the default server, twisted, opens its port on every interface.
func startLocalStack(dir, scratch, port string) (argv, env []string) {
	return []string{filepath.Join(dir, "bin", "python"), "-m", "localstack.runtime.main"}, []string{
		"GATEWAY_LISTEN=127.0.0.1:" + port,
		"LOCALSTACK_HOST=127.0.0.1:" + port,
		"GATEWAY_SERVER=hypercorn",
		"DNS_ADDRESS=0",
		"DISABLE_EVENTS=1",
		"SKIP_SSL_CERT_DOWNLOAD=1",
		"FILESYSTEM_ROOT=" + scratch,
		"LOCALSTACK_VOLUME_DIR=" + scratch,
	}
}

func startDynamoDBLocal(dir, _, port string) (argv, env []string) {
	lib := filepath.Join(dir, "lib")
	return []string{
		"java", "-Djava.library.path=" + lib, "-cp", filepath.Join(lib, "*"),
		"software.amazon.dynamodb.services.local.main.ServerRunner",
		"-inMemory", "-sharedDb", "-disableTelemetry", "-port", port,
	}, []string{"JAVA_HOME=" + os.Getenv("JAVA_HOME")}
}
