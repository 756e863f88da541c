package guardtest

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/lambdarmor/lambdarmor/guard/guardtest/internal/ids"
)

// handlerName is the handler of an OS-only runtime in Lambda.
const handlerName = "bootstrap"

// environment returns the variables of a process: the ones that Lambda sets for an
// OS-only runtime, then Config.Env. See
// https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
//
// LD_LIBRARY_PATH is left out, as it would point into another system.
func (f *Function) environment(runtimeAPI string) []string {
	cfg := f.cfg
	env := []string{
		"AWS_LAMBDA_RUNTIME_API=" + runtimeAPI,
		"_HANDLER=" + handlerName,
		"AWS_LAMBDA_FUNCTION_NAME=" + cfg.Name,
		"AWS_LAMBDA_FUNCTION_VERSION=" + cfg.Version,
		"AWS_LAMBDA_FUNCTION_MEMORY_SIZE=" + strconv.Itoa(cfg.Memory),
		"AWS_LAMBDA_INITIALIZATION_TYPE=on-demand",
		"AWS_LAMBDA_LOG_GROUP_NAME=/aws/lambda/" + cfg.Name,
		"AWS_LAMBDA_LOG_STREAM_NAME=" + logStreamName(cfg.Version),
		"AWS_REGION=" + cfg.Region,
		"AWS_DEFAULT_REGION=" + cfg.Region,
		"LAMBDA_TASK_ROOT=" + cfg.Dir,
		"LAMBDA_RUNTIME_DIR=/var/runtime",
		"PATH=/usr/local/bin:/usr/bin/:/bin:/opt/bin",
		"LANG=en_US.UTF-8",
		"TZ=:UTC",
	}
	if cfg.Concurrency > 1 {
		env = append(env, "AWS_LAMBDA_MAX_CONCURRENCY="+strconv.Itoa(cfg.Concurrency))
	}
	return append(env, cfg.Env...)
}

// extensionVariables leaves out of a process's variables what extensions do not see:
// those of the runtime, and what begins with an underscore. See "Environment
// variables" in https://docs.aws.amazon.com/lambda/latest/dg/runtimes-extensions-api.html
func extensionVariables(env []string) []string {
	hidden := []string{
		"AWS_EXECUTION_ENV",
		"AWS_LAMBDA_LOG_GROUP_NAME",
		"AWS_LAMBDA_LOG_STREAM_NAME",
		"AWS_XRAY_CONTEXT_MISSING",
		"AWS_XRAY_DAEMON_ADDRESS",
		"LAMBDA_RUNTIME_DIR",
		"LAMBDA_TASK_ROOT",
	}
	return slices.DeleteFunc(slices.Clone(env), func(variable string) bool {
		name, _, _ := strings.Cut(variable, "=")
		return strings.HasPrefix(name, "_") || slices.Contains(hidden, name)
	})
}

func logStreamName(version string) string {
	id := strings.ReplaceAll(ids.UUID(), "-", "")
	return fmt.Sprintf("%s/[%s]%s", time.Now().UTC().Format("2006/01/02"), version, id)
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.2f seconds", d.Seconds()) }
