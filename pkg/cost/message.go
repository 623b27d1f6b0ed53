package cost

// Use is what one part of a message's way asks of AWS.
type Use struct {
	Store  int     // calls of DynamoDB
	Writes float64 // write units, indexes included
	Reads  float64 // read units
	Queue  int     // sends; the poller's receives and deletes come on top, shared by a batch
}

// Kind is a way of sending. A test in pkg/onaws holds Accept and Deliver to what is counted there.
type Kind struct {
	Name            string
	Title           string
	Accept, Deliver Use
}

// Kinds lists them.
func Kinds() []Kind {
	deliver := Use{Store: 2, Writes: 3}
	return []Kind{
		{"plain", "one message a request, from a template", Use{Store: 3, Writes: 4, Reads: 1, Queue: 1}, deliver},
		{"key", "the same with an idempotency key", Use{Store: 4, Writes: 5, Reads: 1, Queue: 1}, deliver},
		{"code", "a one-time code, with its caps", Use{Store: 5, Writes: 5, Reads: 2, Queue: 1}, deliver},
	}
}

// Of finds a kind by its name.
func Of(name string) (Kind, bool) {
	for _, k := range Kinds() {
		if k.Name == name {
			return k, true
		}
	}
	return Kind{}, false
}

// What is assumed, as it was never measured on AWS: the functions have 256 MB; accepting takes 20 ms, delivering a
// batch of ten 150 ms with a provider that answers in 100; a message is two log lines and its share of the metrics'.
const (
	Batch        = 10 // messages that one receive brings: with traffic; alone it is one
	memoryGB     = 0.25
	acceptMillis = 20
	batchMillis  = 150
	logBytes     = 1200
	storedBytes  = 2500 // the record with its index entries
	storedMonths = 6
)

// Line is one of a bill.
type Line struct {
	What    string  `json:"what"`
	Of      string  `json:"of"` // how many, of what
	Dollars float64 `json:"dollars"`
}

// Bill is what a million messages of a kind cost.
func Bill(k Kind) []Line {
	writes, reads := k.Accept.Writes+k.Deliver.Writes+2.0/Batch, k.Accept.Reads+k.Deliver.Reads
	requests := float64(k.Accept.Queue) + 2.0/Batch
	seconds := acceptMillis/1e3 + batchMillis/1e3/Batch
	return []Line{
		{"API Gateway, an HTTP API", "1 request", APIRequest},
		{"Lambda", number(1+1.0/Batch) + " invocations, " + number(seconds*1e3) + " ms of 256 MB", (1+1.0/Batch)*Invocation + seconds*memoryGB*GBSecond*1e6},
		{"DynamoDB, written", number(writes) + " units, of which the counters 0.2", writes * WriteUnit},
		{"DynamoDB, read", number(reads) + " units", reads * ReadUnit},
		{"DynamoDB, kept for half a year", "2.5 KB", storedBytes / 1e3 * StoredGB * storedMonths},
		{"SQS", number(requests) + " requests", requests * QueueRequest},
		{"logs", "1.2 KB", logBytes / 1e3 * LogGB},
	}
}

// Total is the sum of a bill.
func Total(lines []Line) (sum float64) {
	for _, l := range lines {
		sum += l.Dollars
	}
	return sum
}
