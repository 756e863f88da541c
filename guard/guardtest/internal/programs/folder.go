package programs

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// maxUnzipped is how many bytes a function's code and layers may have.
const maxUnzipped = 262144000

// Folder returns the absolute path of a folder of extensions. It is an error, in
// Lambda's words, when the folder and the function's binary are too large together.
// How many layers a folder was made of cannot be seen.
func Folder(dir, binary string) (string, error) {
	if dir == "" {
		return "", nil
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	var size int64
	if info, err := os.Stat(binary); err == nil {
		size = info.Size()
	}
	err = filepath.WalkDir(dir, func(_ string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		info, err := entry.Info()
		if err == nil {
			size += info.Size()
		}
		return err
	})
	if err == nil && size > maxUnzipped {
		err = fmt.Errorf("function code combined with layers exceeds the maximum allowed size of %d bytes; the actual size is %d bytes", maxUnzipped, size)
	}
	return dir, err
}

// Files returns the names of the files in a folder, which Lambda starts: none of its
// folders. A folder without a name has none.
func Files(dir string) ([]string, error) {
	names := []string{}
	if dir == "" {
		return names, nil
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	for _, entry := range entries {
		if !entry.IsDir() {
			names = append(names, entry.Name())
		}
	}
	return names, nil
}

// Variables leaves out of a process's variables what extensions do not see:
// those of the runtime, and what begins with an underscore. See "Environment
// variables" in https://docs.aws.amazon.com/lambda/latest/dg/runtimes-extensions-api.html
func Variables(env []string) []string {
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
