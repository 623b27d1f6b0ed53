module github.com/opennotify/notify

go 1.26
