// Package callback tells tenants what became of their messages, and looks after the endpoints that they
// are told at.
//
// A callback is a message to an endpoint, delivered by the same machine, that nobody is told of in its
// turn. Its id follows from the message, the change of status and the endpoint, so that it is made once
// however often a worker that crashed begins anew. An endpoint that is gone, or has done nothing but fail
// for days, is switched off, with the reason in its history.
package callback
