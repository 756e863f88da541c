package testserver

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"testing"
	"time"
)

const (
	nodes = 3
	slots = 16384 // of every cluster, https://valkey.io/topics/cluster-spec/
)

// ValkeyCluster starts three empty Valkeys for this test alone, which share the
// keys as one cluster, a third of the slots each, without replicas. It returns
// when all of them serve. A node that is restarted comes back to the cluster,
// empty, and not before the others have noticed.
func ValkeyCluster(t testing.TB) []*Server {
	t.Helper()
	cluster := make([]*Server, nodes)
	for i := range cluster {
		cluster[i] = own(t, clusterNode(t))
	}
	if err := join(cluster); err != nil {
		t.Fatal(err)
	}
	return cluster
}

// clusterNode is a Valkey that can join a cluster. It keeps what it knows of the
// others in a file.
func clusterNode(t testing.TB) kind {
	dir := t.TempDir()
	node := valkey
	node.bus = true
	node.args = func(port string) []string {
		return append(valkey.args(port), "--cluster-enabled", "yes", "--cluster-port", busPort(port), "--dir", dir,
			"--cluster-config-file", "nodes.conf", "--cluster-announce-ip", host)
	}
	return node
}

// busPort is where the node at a port talks to the others. It is picked as that
// port was: the usual one, 10000 above, is among the ports of outgoing
// connections.
func busPort(port string) string {
	n, err := strconv.Atoi(port)
	if err != nil {
		panic(err) // freeAddr's own
	}
	const all = lastPort - firstPort + 1
	return strconv.Itoa(firstPort + (n-firstPort+all/2)%all)
}

// join makes a cluster of servers, and returns when each of them knows of all
// slots and servers.
func join(cluster []*Server) error {
	for i, s := range cluster {
		first, last := i*slots/len(cluster), (i+1)*slots/len(cluster)-1
		commands := []string{
			fmt.Sprintf("CLUSTER ADDSLOTSRANGE %d %d", first, last),
			fmt.Sprintf("CLUSTER SET-CONFIG-EPOCH %d", i+1),
		}
		if i > 0 {
			addr, port, err := net.SplitHostPort(cluster[0].Addr())
			if err != nil {
				return fmt.Errorf("testserver: %w", err)
			}
			commands = append(commands, fmt.Sprintf("CLUSTER MEET %s %s %s", addr, port, busPort(port)))
		}
		for _, command := range commands {
			reply, err := ask(s.Addr(), command)
			if err == nil && reply != "OK" {
				err = fmt.Errorf("answered %q", reply)
			}
			if err != nil {
				return fmt.Errorf("testserver: %s: %w", command, err)
			}
		}
	}
	for _, s := range cluster {
		if err := s.awaitCluster(len(cluster)); err != nil {
			return err
		}
	}
	return nil
}

func (s *Server) awaitCluster(size int) error {
	known := fmt.Sprintf("cluster_known_nodes:%d\r\n", size)
	deadline := time.Now().Add(startTimeout)
	poll := time.NewTicker(pollInterval)
	defer poll.Stop()
	for {
		reply, err := ask(s.Addr(), "CLUSTER INFO")
		switch {
		case err != nil:
			return fmt.Errorf("testserver: CLUSTER INFO: %w", err)
		case strings.Contains(reply, "cluster_state:ok\r\n") && strings.Contains(reply, known):
			return nil
		case time.Now().After(deadline):
			return fmt.Errorf("testserver: no cluster within %v: %s", startTimeout, reply)
		}
		<-poll.C
	}
}

// ask sends a command to a Valkey and reads the reply, a line or a text.
func ask(addr, command string) (string, error) {
	conn, err := net.DialTimeout("tcp", addr, answerTimeout)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(startTimeout)); err != nil {
		return "", err
	}
	if _, err := fmt.Fprintf(conn, "%s\r\n", command); err != nil {
		return "", err
	}
	r := bufio.NewReader(conn)
	line, err := r.ReadString('\n')
	if err != nil {
		return "", err
	}
	line = strings.TrimSuffix(line, "\r\n")
	size, isText := strings.CutPrefix(line, "$")
	if !isText {
		return strings.TrimPrefix(line, "+"), nil
	}
	n, err := strconv.Atoi(size)
	if err != nil || n < 0 {
		return "", fmt.Errorf("a text of %q bytes", size)
	}
	text := make([]byte, n)
	_, err = io.ReadFull(r, text)
	return string(text), err
}
