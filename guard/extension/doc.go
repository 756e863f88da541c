// Package extension makes programs that run beside a Lambda function, in the same
// environment: external extensions, for functions in any language.
//
//	func main() {
//		ctx := context.Background()
//		ext, err := extension.Register(ctx)
//		if err != nil {
//			log.Fatal(err)
//		}
//		for event, err := range ext.Events(ctx) {
//			if err != nil {
//				log.Fatal(err)
//			}
//			switch event := event.(type) {
//			case extension.Invoke:
//				work(event.RequestID)
//			case extension.Shutdown:
//				finish(event.Deadline)
//			}
//		}
//	}
//
// Lambda starts each executable file in /opt/extensions, from where a layer or an image
// puts it, with the function's role and its variables. A layer's zip has it as
// extensions/<name>.
//
// # Phases
//
// [Register] comes first: Lambda starts the runtime when all extensions have
// registered, and then has ten seconds for the rest of the init. Whatever the
// extension needs from there on, like the listener of [Extension.Subscribe], comes
// before the first step of [Extension.Events], which ends its init.
//
// An [Invoke] is under way until the runtime and each extension have asked for the
// next event. The caller has its answer earlier, but the environment takes no further
// invocation until then, and the time is billed. It is in the metric
// PostRuntimeExtensionsDuration.
//
// A [Shutdown] comes after the runtime has ended. All extensions have 2 seconds, less
// what the runtime took of its 300 ms. After a timeout or a crash of the function there
// is a Shutdown as well, and the environment may start again, with Register. When it
// runs out of memory, the kill can come first. So what must not be lost has to be
// stored elsewhere before the next step of Events.
//
// Between events the environment is frozen. No timer, no connection and no goroutine
// goes on, and an extension is not told of a thaw, nor of a restore from a snapshot.
//
// # What it shares
//
// An extension shares memory, CPU, /tmp, the network and the role with the function.
// Whatever the function may do, code in it can do to the extension: an extension that
// listens has to check what connects. An extension that crashes ends the environment.
// At most 10 extensions fit.
//
// Managed instances run several invocations at once. They send no Invoke, and no
// platform.runtimeDone; their Shutdown is the same.
//
// The APIs are those of
//
//   - https://docs.aws.amazon.com/lambda/latest/dg/runtimes-extensions-api.html
//   - https://docs.aws.amazon.com/lambda/latest/dg/telemetry-api.html
package extension
