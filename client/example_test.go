package client_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"time"

	"github.com/opennotify/notify/client"
)

// demo is a client of a service that runs in this process, as notify local does.
func demo() (*client.Client, func()) {
	o, stop := service()
	c, err := client.New(o)
	must(err)
	return c, stop
}

func ExampleNew() {
	c, err := client.New(client.Options{
		URL: "https://notify.example.com",
		Key: client.Key(os.Getenv("NOTIFY_KEY")),
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(c)
	// Output: notify at https://notify.example.com
}

func ExampleClient_Send() {
	c, stop := demo()
	defer stop()

	sent, err := c.Send(context.Background(), client.SendRequest{
		To:        client.Address("+8613800138000"),
		Template:  "login-code",
		Vars:      map[string]any{"code": "482913"},
		Reference: "login-7",
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(sent.Status, sent.Channel, sent.Class)
	// Output: queued sms otp
}

// A name of your own event makes the request one message, whoever repeats it and when.
func ExampleClient_Send_idempotent() {
	c, stop := demo()
	defer stop()

	shipped := client.SendRequest{
		IdempotencyKey: "order-4711-shipped",
		To:             client.Address("li@example.com"),
		Channel:        "email",
		Template:       "order-shipped",
		Vars:           map[string]any{"name": "李雷", "order": "4711"},
	}
	first, err := c.Send(context.Background(), shipped)
	if err != nil {
		log.Fatal(err)
	}
	second, err := c.Send(context.Background(), shipped)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(first.Replayed, second.Replayed, first.ID == second.ID)
	// Output: false true true
}

func ExampleClient_Send_refused() {
	c, stop := demo()
	defer stop()

	_, err := c.Send(context.Background(), client.SendRequest{
		To:       client.Address("+8613800138000"),
		Template: "login-code",
	})
	var refused *client.Error
	if errors.As(err, &refused) {
		fmt.Println(refused.Status, refused.Code)
		for _, f := range refused.Errors {
			fmt.Println(f.Pointer, f.Code)
		}
	}
	// Output:
	// 422 invalid_request
	// /vars/code missing_variable
}

func ExampleClient_Batch() {
	c, stop := demo()
	defer stop()

	b, err := c.Batch(context.Background(), client.BatchRequest{Messages: []client.SendRequest{
		{To: client.Address("+8613800138000"), Template: "login-code", Vars: map[string]any{"code": "1111"}},
		{To: client.Address("12"), Channel: "sms", Template: "login-code", Vars: map[string]any{"code": "2222"}},
	}})
	if err != nil {
		log.Fatal(err)
	}
	for _, r := range b.Results {
		if r.Problem != nil {
			fmt.Println("refused:", r.Problem.Errors[0].Code)
			continue
		}
		fmt.Println(r.Message.Status)
	}
	// Output:
	// queued
	// refused: bad_address
}

func ExampleClient_Explain() {
	c, stop := demo()
	defer stop()

	e, err := c.Explain(context.Background(), client.SendRequest{
		To:       client.Address("+8613800138000"),
		Template: "login-code",
		Locale:   "en",
		Vars:     map[string]any{"code": "482913"},
	})
	if err != nil {
		log.Fatal(err)
	}
	m := e.Messages[0]
	fmt.Println(m.To, m.Accounts, m.Segments.Count, m.Cost, m.Currency)
	fmt.Println(m.Content.Text)
	// Output:
	// +86138****8000 [inbox-sms] 1 0.045 CNY
	// [Demo Shop] Your code is 482913. It is valid for 5 minutes. Never share it.
}

func ExampleClient_Wait() {
	c, stop := demo()
	defer stop()

	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	sent, err := c.Send(ctx, client.SendRequest{
		To:       client.Address("+8613800130007"), // the development inbox confirms numbers that end in 0007
		Template: "login-code",
		Vars:     map[string]any{"code": "482913"},
	})
	if err != nil {
		log.Fatal(err)
	}
	m, err := c.Wait(ctx, sent.ID)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(m.Status)
	fmt.Println(m.Verdict.En.What)
	// Output:
	// delivered
	// The carrier confirmed delivery just now.
}

func ExampleClient_All() {
	c, stop := demo()
	defer stop()

	ctx := context.Background()
	for i := range 3 {
		_, err := c.Send(ctx, client.SendRequest{
			To:        client.Address("li@example.com"),
			Channel:   "email",
			Template:  "order-shipped",
			Vars:      map[string]any{"name": "李雷", "order": fmt.Sprint("A-", i)},
			Reference: fmt.Sprint("ref-", i),
		})
		if err != nil {
			log.Fatal(err)
		}
	}
	for m, err := range c.All(ctx, client.SearchRequest{Recipient: "Li@Example.com"}) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(m.Reference, m.To)
	}
	// Output:
	// ref-2 l***@example.com
	// ref-1 l***@example.com
	// ref-0 l***@example.com
}

func ExampleClient_Who() {
	c, stop := demo()
	defer stop()

	w, err := c.Who(context.Background(), client.WhoRequest{Text: "【演示商城】您的验证码是902145，5分钟内有效。请勿告诉他人。"})
	if err != nil {
		log.Fatal(err)
	}
	from := w.Candidates[0]
	fmt.Println(from.Tenant, from.Template, from.Owner.Phone)
	// Output: demo login-code +8613900139000
}
