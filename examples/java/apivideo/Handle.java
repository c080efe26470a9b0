// What a client and an upload have in common: a handle of the library's, and calls with it.
package apivideo;

import com.sun.jna.Pointer;
import com.sun.jna.ptr.PointerByReference;
import java.lang.ref.Cleaner;
import java.util.function.Consumer;
import java.util.function.Function;

/** Freed by close(), or once nobody can reach it any more, but never during a call with it. */
final class Handle implements AutoCloseable {
  private static final Cleaner CLEANER = Cleaner.create();

  private final String name;
  private final Pointer pointer;
  private final Cleaner.Cleanable cleanable;
  private int calls;
  private boolean closed;

  Handle(String name, Pointer pointer, Consumer<Pointer> free) {
    this.name = name;
    this.pointer = pointer;
    // With nothing that reaches this object, which would keep it for ever.
    cleanable = CLEANER.register(this, () -> free.accept(pointer));
  }

  /** A function of the library that can fail: takes the handle, and returns an AV_STATUS_…. */
  interface Operation {
    int run(Pointer handle, LibApiVideo.RequestOptions options, PointerByReference out, PointerByReference error);
  }

  <T> T call(LibApiVideo.RequestOptions options, Operation operation, Function<Pointer, T> read, Consumer<Pointer> free) {
    return use(handle -> {
      var out = new PointerByReference();
      var error = new PointerByReference();
      int status = operation.run(handle, options, out, error);
      if (status != 0) throw ApiVideoException.of(status, error.getValue());
      try {
        return read.apply(out.getValue());
      } finally {
        free.accept(out.getValue());
      }
    });
  }

  <T> T use(Function<Pointer, T> function) {
    enter();
    try {
      return function.apply(pointer);
    } finally {
      leave();
    }
  }

  @Override
  public synchronized void close() {
    closed = true;
    if (calls == 0) cleanable.clean();
  }

  private synchronized void enter() {
    if (closed) throw new IllegalStateException("the " + name + " is closed");
    calls++;
  }

  // The last call to end frees what was closed meanwhile.
  private synchronized void leave() {
    calls--;
    if (closed && calls == 0) cleanable.clean();
  }
}
