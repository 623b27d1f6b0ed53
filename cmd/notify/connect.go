package main

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/opennotify/notify/client"
)

// place is a service and who one is there.
type place struct {
	url  string
	key  client.Key
	from string // where the key comes from, for people
}

// connect chooses the service and the key, and makes a client. It opens no connection.
func (s *session) connect() (*client.Client, error) {
	p, err := s.choose()
	if err != nil {
		return nil, err
	}
	s.place = p
	return s.clientOf(p, nil)
}

func (s *session) clientOf(p place, h *http.Client) (*client.Client, error) {
	c, err := client.New(client.Options{URL: p.url, Key: p.key, HTTP: h, UserAgent: "notify/" + version()})
	if err != nil {
		return nil, err
	}
	return c, nil
}

// choose finds out which: a profile that is asked for, else NOTIFY_KEY, else the profile of the
// environment or the default one, else the demo tenant of notify local. A stored key goes nowhere but to
// the address that it was stored with.
func (s *session) choose() (place, error) {
	address := s.url
	if address == "" && s.profile == "" {
		address = s.env("NOTIFY_URL")
	}
	if u, err := url.Parse(address); address != "" && (err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https") {
		return place{}, errors.New("the service's address (--url, NOTIFY_URL) is written such as https://notify.example.com")
	}
	if key := s.env("NOTIFY_KEY"); key != "" && s.profile == "" {
		return place{cmp.Or(address, s.localURL()), client.Key(strings.TrimSpace(key)), "NOTIFY_KEY"}, nil
	}
	file, err := s.loadProfiles()
	if err != nil {
		return place{}, err
	}
	name := cmp.Or(s.profile, s.env("NOTIFY_PROFILE"))
	if p, found := file.Profiles[cmp.Or(name, defaultProfile)]; found {
		if address != "" && origin(address) != origin(p.URL) {
			if name != "" {
				return place{}, fmt.Errorf("profile %q has a key for %s, not for %s; set NOTIFY_KEY, or use a profile of that address", name, p.URL, address)
			}
		} else {
			return place{cmp.Or(address, p.URL), client.Key(p.Key), fmt.Sprintf("profile %q in %s", cmp.Or(name, defaultProfile), file.path)}, nil
		}
	} else if name != "" {
		return place{}, fmt.Errorf("there is no profile %q in %s; make it with: notify login --profile %s", name, file.path, name)
	}
	if address = cmp.Or(address, s.localURL()); loopback(address) {
		if p, found, err := s.demo(address); found || err != nil {
			return p, err
		}
	}
	return place{}, fmt.Errorf("no API key for %s; set NOTIFY_URL and NOTIFY_KEY, or run notify login; "+
		"to try it here, run notify local in this folder first", address)
}

// demo is the key that notify local has left in its data folder.
func (s *session) demo(address string) (place, bool, error) {
	path := filepath.Join(cmp.Or(s.env("NOTIFY_DATA"), "data"), "demo.key")
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return place{}, false, nil
	}
	if err != nil {
		return place{}, false, fmt.Errorf("demo key: %w", err)
	}
	return place{address, client.Key(strings.TrimSpace(string(text))), path}, true, nil
}

// localURL is where notify local listens.
func (s *session) localURL() string {
	host, port, err := net.SplitHostPort(cmp.Or(s.env("NOTIFY_ADDR"), "127.0.0.1:8080"))
	if err != nil {
		return "http://127.0.0.1:8080"
	}
	if ip, err := netip.ParseAddr(host); host == "" || err == nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return "http://" + net.JoinHostPort(host, port)
}

// origin is what a key belongs to.
func origin(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return strings.ToLower(u.Scheme + "://" + u.Host)
}

// loopback tells whether an address is this machine's own.
func loopback(address string) bool {
	u, err := url.Parse(address)
	if err != nil {
		return false
	}
	ip, err := netip.ParseAddr(u.Hostname())
	return u.Hostname() == "localhost" || err == nil && ip.IsLoopback()
}
