package shop

// What the examples import has to be here, so that the go command builds it.
import (
	_ "bytes"
	_ "context"
	_ "crypto/rand"
	_ "encoding/json"
	_ "errors"
	_ "fmt"
	_ "hash/maphash"
	_ "io"
	_ "iter"
	_ "log"
	_ "log/slog"
	_ "maps"
	_ "math"
	_ "math/rand/v2"
	_ "net/http"
	_ "os"
	_ "os/exec"
	_ "reflect"
	_ "runtime"
	_ "runtime/debug"
	_ "slices"
	_ "sort"
	_ "strings"
	_ "sync"
	_ "sync/atomic"
	_ "time"
	_ "unsafe"

	_ "github.com/durablegen/durablegen/runtime"
)
