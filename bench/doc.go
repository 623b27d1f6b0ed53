// Command bench measures notify on one machine: real HTTP against a fresh `notify local`, webhooks to a
// sink in this process. Beside it, interleaved in the same run, it measures the bound: the smallest honest
// service that does the same (HTTP, a map of ids, one append with a group-committed sync, one webhook, and
// nothing else). Machines drift, so only the ratios of one run mean anything.
//
//	go run ./bench                 three rounds, about four minutes
//	go run ./bench -rounds 1 -t 3s a quick look
//	go run ./bench -noisy          one tenant beside another that floods
//	go run ./bench -million        a million messages in the file first
package main
