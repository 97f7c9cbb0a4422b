package dev.xip.process;

import dev.xip.base.Access;
import dev.xip.base.AddrRange;
import dev.xip.base.Errno;
import dev.xip.base.FileName;
import dev.xip.elf.ElfImage;
import dev.xip.elf.MalformedElfException;
import dev.xip.file.ReadableFile;
import dev.xip.vm.AddressReader;
import dev.xip.vm.AddressSpace;
import dev.xip.vm.MapException;
import dev.xip.vm.MemoryFaultException;
import dev.xip.vm.MemoryManager;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * The memory of a process: an address space that exec replaces, fork copies and exit frees. It runs
 * no instruction itself; a virtual processor may run user mode in its address space. One thread at
 * a time may call it; any thread may use its address space. Linux counterpart: {@code struct
 * task_struct}, as far as {@code mm} goes.
 */
public final class ModelledProcess implements AutoCloseable {
  private static final AddrRange NOTHING = new AddrRange(0, 0);

  private final MemoryManager manager;
  private final String name;
  private AddressSpace space;
  private boolean exited;

  /** Where the strings lie on the stack. Linux counterpart: {@code mm->arg_start}. */
  private AddrRange argumentBytes = NOTHING;

  /** Linux counterpart: {@code mm->env_start}. */
  private AddrRange environmentBytes = NOTHING;

  private long entry;

  /** The headers of the program; null if there is none. */
  private ElfImage image;

  /** What is added to the addresses in the headers. */
  private long bias;

  private ModelledProcess(MemoryManager manager, String name, AddressSpace space) {
    this.manager = manager;
    this.name = name;
    this.space = space;
  }

  /**
   * Starts a process that has no program yet and maps nothing.
   *
   * @param manager the machine's memory manager
   * @param name its name, for diagnostics
   * @return the process, to be closed by its owner
   * @throws MapException ENOMEM if RAM is used up
   */
  public static ModelledProcess start(MemoryManager manager, String name) throws MapException {
    return new ModelledProcess(manager, name, manager.newAddressSpace(name));
  }

  /** {@return the address space that the last exec made; closed if the process has exited} */
  public AddressSpace space() {
    return space;
  }

  /** {@return the address of the program's first instruction, 0 if there is none or no program} */
  public long entry() {
    return entry;
  }

  /** {@return the headers of the program, null if there is none} */
  public ElfImage image() {
    return image;
  }

  /** {@return what is added to the addresses that the headers name} */
  public long bias() {
    return bias;
  }

  /**
   * Maps the interpreter of the program, which then starts in its place. Linux counterpart: {@code
   * load_elf_interp} (fs/binfmt_elf.c).
   *
   * @param interpreter a 64-bit ELF file; it must outlive the process
   * @return what is added to the addresses in its headers, and its first instruction
   * @throws ExecException as {@link #exec} does, but ELIBBAD if the file is no program for the same
   *     machine; the process has exited if it cannot be mapped
   */
  public Interpreter mapInterpreter(ReadableFile interpreter) throws ExecException {
    String what = "interpreter %s of %s".formatted(interpreter.name(), name);
    ElfImage headers = headersOf(interpreter, what, Errno.ELIBBAD);
    if (headers.machine() != image.machine()) {
      String found =
          "expected one for %s, found one for %s".formatted(image.machine(), headers.machine());
      throw new ExecException(Errno.ELIBBAD, what, found, null);
    }
    try {
      long base = new ProgramSegments(space, interpreter, headers).mapInterpreter();
      return new Interpreter(base, headers.entry() + base);
    } catch (MapException | MemoryFaultException e) {
      exited = true;
      throw ExecException.killed(what, e);
    }
  }

  /**
   * An interpreter that is mapped.
   *
   * @param bias what is added to the addresses in its headers
   * @param entry the address of its first instruction
   */
  public record Interpreter(long bias, long entry) {}

  /** {@return where the arguments lie on the stack, each with a NUL at its end} */
  public AddrRange argumentBytes() {
    return argumentBytes;
  }

  /** {@return where the environment lies on the stack, each string with a NUL at its end} */
  public AddrRange environmentBytes() {
    return environmentBytes;
  }

  /**
   * Replaces the program. Strings go to a new stack in a new address space, page by page through
   * get_user_pages; then the file's headers are checked; then the old address space is given back
   * and the program's segments are mapped. Linux counterpart: {@code do_execve} (fs/exec.c), {@code
   * load_elf_binary} (fs/binfmt_elf.c).
   *
   * @param program a 64-bit ELF program; it must outlive the process
   * @param arguments the arguments, the program's name by custom the first; bytes that are not
   *     UTF-8 as in {@link FileName#exactText}
   * @param environment the environment, each {@code NAME=value}
   * @throws ExecException the process is as it was: E2BIG if the strings are too long or there is
   *     no page for them (the cause says which), ENOEXEC if the file is no such program, EIO if it
   *     cannot be read, ENOMEM if RAM is used up, ESRCH if the process has exited. Killed, with the
   *     code of the failure, if the program's segments cannot be mapped: the old program is gone,
   *     and the process has exited
   * @throws IllegalArgumentException if a string contains a NUL
   * @throws dev.xip.base.SleepingInAtomicException if the machine's {@link
   *     dev.xip.vm.FrameStrategy} may sleep: the kernel's bug report, for any program
   */
  public void exec(ReadableFile program, List<String> arguments, List<String> environment)
      throws ExecException {
    String what = "exec of %s in %s".formatted(program.name(), name);
    List<byte[]> argumentStrings = strings(arguments);
    List<byte[]> environmentStrings = strings(environment);
    if (exited) {
      throw new ExecException(Errno.ESRCH, what, "the process has exited", null);
    }
    AddressSpace fresh;
    try {
      fresh = manager.newAddressSpace(name);
    } catch (MapException e) {
      throw new ExecException(Errno.ENOMEM, what, e.getMessage(), e);
    }
    try {
      ArgumentPages stack = new ArgumentPages(fresh, what);
      stack.copyStrings(strings(List.of(program.name())));
      AddrRange environmentRange = stack.copyStrings(environmentStrings);
      AddrRange argumentRange = stack.copyStrings(argumentStrings);
      ElfImage image = headersOf(program, what, Errno.ENOEXEC);
      setUpStack(fresh, stack, image);
      becomeProgram(fresh, argumentRange, environmentRange);
      mapProgram(program, image, what);
    } catch (MapException e) {
      throw abandoned(fresh, new ExecException(Errno.ENOMEM, what, e.getMessage(), e));
    } catch (ExecException e) {
      throw abandoned(fresh, e);
    } catch (RuntimeException e) {
      throw abandoned(fresh, e);
    }
  }

  private static List<byte[]> strings(List<String> texts) {
    List<byte[]> bytes = new ArrayList<>(texts.size());
    for (String text : texts) {
      if (text.indexOf('\0') >= 0) {
        throw new IllegalArgumentException(
            Errno.EINVAL.message(
                "string \"%s\": expected no NUL, found one at %d",
                text.replace('\0', '.'), text.indexOf('\0')));
      }
      bytes.add(FileName.of(text).bytes());
    }
    return bytes;
  }

  private static ElfImage headersOf(ReadableFile program, String what, Errno malformed)
      throws ExecException {
    try {
      return ElfImage.read(program.name(), program.size(), program::read);
    } catch (MalformedElfException e) {
      throw new ExecException(malformed, what, e.getMessage(), e);
    } catch (IOException e) {
      throw new ExecException(Errno.EIO, what, e.getMessage(), e);
    }
  }

  /** Linux counterpart: {@code setup_arg_pages}, as far as access goes. */
  private static void setUpStack(AddressSpace fresh, ArgumentPages stack, ElfImage image)
      throws MapException {
    if (image.executableStack()) {
      AddrRange range = fresh.find(stack.top() - 1).range();
      fresh.protect(range, new Access(true, true, true));
    }
  }

  /**
   * The point of no return: any failure from here on kills the process. Linux counterpart: {@code
   * flush_old_exec}, {@code exec_mmap}.
   */
  private void becomeProgram(AddressSpace fresh, AddrRange argumentRange, AddrRange envRange) {
    exited = true;
    space.close();
    space = fresh;
    argumentBytes = argumentRange;
    environmentBytes = envRange;
    entry = 0;
  }

  private void mapProgram(ReadableFile program, ElfImage image, String what) throws ExecException {
    try {
      bias = new ProgramSegments(space, program, image).map();
      entry = image.entry() == 0 ? 0 : image.entry() + bias;
      this.image = image;
      exited = false;
    } catch (MapException | MemoryFaultException e) {
      throw ExecException.killed(what, e);
    }
  }

  /** Closes the new address space; a failure to do so must not hide the first one. */
  private static <E extends Exception> E abandoned(AddressSpace fresh, E failure) {
    try {
      fresh.close();
    } catch (RuntimeException e) {
      failure.addSuppressed(e);
    }
    return failure;
  }

  /**
   * Makes a child with the same memory. Linux counterpart: {@code do_fork} (kernel/fork.c).
   *
   * @param childName the child's name
   * @return the child, to be closed by its owner
   * @throws MapException ENOMEM if RAM is used up, ESRCH if this process has exited
   */
  public ModelledProcess fork(String childName) throws MapException {
    ModelledProcess child = new ModelledProcess(manager, childName, space.fork(childName));
    child.argumentBytes = argumentBytes;
    child.environmentBytes = environmentBytes;
    child.entry = entry;
    child.image = image;
    child.bias = bias;
    return child;
  }

  /**
   * Reads the arguments back from the stack. Linux counterpart: /proc/PID/cmdline.
   *
   * @return the arguments, as the process has them now
   * @throws MemoryFaultException if the process has unmapped its stack or has exited
   */
  public List<String> arguments() throws MemoryFaultException {
    return read(argumentBytes);
  }

  /**
   * Reads the environment back from the stack. Linux counterpart: /proc/PID/environ.
   *
   * @return the environment, as the process has it now
   * @throws MemoryFaultException if the process has unmapped its stack or has exited
   */
  public List<String> environment() throws MemoryFaultException {
    return read(environmentBytes);
  }

  private List<String> read(AddrRange range) throws MemoryFaultException {
    byte[] bytes = new byte[(int) range.length()];
    new AddressReader(space).copy(range.start(), MemorySegment.ofArray(bytes), 0, bytes.length);
    List<String> strings = new ArrayList<>();
    int start = 0;
    for (int i = 0; i < bytes.length; i++) {
      if (bytes[i] == 0) {
        strings.add(FileName.of(Arrays.copyOfRange(bytes, start, i)).exactText());
        start = i + 1;
      }
    }
    return strings;
  }

  /**
   * Closes the address space. The second call does nothing. Linux counterpart: {@code exit_mm}
   * (kernel/exit.c).
   */
  public void exit() {
    exited = true;
    space.close();
  }

  /** Exits. */
  @Override
  public void close() {
    exit();
  }
}
