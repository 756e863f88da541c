package guardtest

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/lambdarmor/lambdarmor/guard/guardtest/internal/ids"
)

// handlerName is the handler of an OS-only runtime in Lambda.
const handlerName = "bootstrap"

// variables returns those of a process: the ones that Lambda sets for an
// OS-only runtime, then Config.Env. See
// https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
//
// LD_LIBRARY_PATH is left out, as it would point into another system.
func (e *environment) variables() []string {
	cfg := e.cfg
	env := []string{
		"AWS_LAMBDA_RUNTIME_API=" + e.addr,
		"_HANDLER=" + handlerName,
		"AWS_LAMBDA_FUNCTION_NAME=" + cfg.Name,
		"AWS_LAMBDA_FUNCTION_VERSION=" + cfg.Version,
		"AWS_LAMBDA_FUNCTION_MEMORY_SIZE=" + strconv.Itoa(cfg.Memory),
		"AWS_LAMBDA_INITIALIZATION_TYPE=" + cfg.initializationType(),
		"AWS_REGION=" + cfg.Region,
		"AWS_DEFAULT_REGION=" + cfg.Region,
		"LAMBDA_TASK_ROOT=" + cfg.Dir,
		"LAMBDA_RUNTIME_DIR=/var/runtime",
		"PATH=/usr/local/bin:/usr/bin/:/bin:/opt/bin",
		"LANG=en_US.UTF-8",
		"TZ=:UTC",
	}
	if !cfg.SnapStart { // https://docs.aws.amazon.com/lambda/latest/dg/snapstart-monitoring.html
		env = append(env, "AWS_LAMBDA_LOG_GROUP_NAME=/aws/lambda/"+cfg.Name, "AWS_LAMBDA_LOG_STREAM_NAME="+e.logStream)
	}
	if cfg.Concurrency > 1 {
		env = append(env, "AWS_LAMBDA_MAX_CONCURRENCY="+strconv.Itoa(cfg.Concurrency))
	}
	return append(append(env, e.metadata...), cfg.Env...)
}

func (c Config) initializationType() string {
	switch {
	case c.Concurrency > 1:
		return "lambda-managed-instances"
	case c.SnapStart:
		return "snap-start"
	}
	return "on-demand"
}

func logStreamName(version string) string {
	id := strings.ReplaceAll(ids.UUID(), "-", "")
	return fmt.Sprintf("%s/[%s]%s", time.Now().UTC().Format("2006/01/02"), version, id)
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.2f seconds", d.Seconds()) }
