// Package testserver starts the servers that the module's tests talk to: a
// DynamoDB, the AWS APIs that moto imitates, a Valkey, and several of them in a
// cluster. Only tests import it.
//
// The servers are real processes on free loopback ports. "make servers" puts
// their binaries into .cache/servers, where this package finds them from any
// folder of the module; the environment variable LAMBDARMOR_SERVERS names
// another folder. A server that is not installed skips the test, so that
// "go test ./..." needs Go alone, unless CI is true or LAMBDARMOR_SERVERS is
// set (to an absolute path): then the test fails, so that no test is left out by accident.
//
// A test that stops or restarts its server starts one of its own:
//
//	func TestStoreOutlivesItsServer(t *testing.T) {
//		db := testserver.DynamoDB(t)
//		store := newStore(t, db.URL())
//		db.Stop()
//		// ... claims fail closed ...
//		if err := db.Restart(); err != nil {
//			t.Fatal(err)
//		}
//	}
//
// Tests that only need one to be there share it:
//
//	var servers testserver.Shared
//
//	func TestMain(m *testing.M) { os.Exit(servers.Run(m)) }
//
//	func TestClaim(t *testing.T) {
//		store := newStore(t, servers.DynamoDB(t).URL())
//		// ...
//	}
//
// All state is in memory: a server that is started or restarted is empty.
// Sharing tests keep apart by the names of their tables and keys.
//
// No server outlives its test binary: a server is killed with its process group
// when its owner ends. On Linux the kernel kills it when the test binary dies
// without ending its tests.
package testserver
