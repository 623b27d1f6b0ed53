package client

// Strict makes a client that takes an answer with members it does not know for a fault.
func Strict(o Options) (*Client, error) {
	c, err := New(o)
	if err == nil {
		c.strict = true
	}
	return c, err
}

// VerifyWebhookAt is VerifyWebhook at another time than now.
var VerifyWebhookAt = verifyWebhook
