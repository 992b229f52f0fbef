import Foundation
import TestKit
import Testing

/// What every command says of a stack whose WAL is damaged, and of a database that somebody has open without a lock.
@Suite("A WAL that is damaged, a holder without a lock")
struct SolidGroundTests {
  private static let make = """
    import subprocess, json
    os.mkdir('data'); c = duckdb.connect('data/hrp.duckdb'); c.execute("SET checkpoint_threshold='1GB'")
    c.execute('CREATE TABLE prices(i INT)'); c.execute('CHECKPOINT')
    hrp = lambda *a: subprocess.run(['\(Checkout.hrp)', *a, '--data-dir', 'data'], capture_output=True, text=True)

    """

  @Test(
    "doctor, validate, recover and create all name a damaged WAL; none says that all is well", arguments: Engine.all)
  func damagedWAL(engine: Engine) throws {
    try withTemporaryFolder { folder in
      let output = try engine.run(
        Self.make + """
          assert hrp('backup', 'create', '-q').returncode == 0
          for k in range(110): c.execute('INSERT INTO prices VALUES (%d)' % k)
          w = 'data/hrp.duckdb.wal'; n = os.path.getsize(w) // 20
          if os.fork() == 0: os._exit(0)
          with open(w, 'r+b') as f: f.seek(n); b = f.read(1); f.seek(n); f.write(bytes([b[0] ^ 4]))
          shutil.copytree('data', 'still')
          hrp = lambda *a: subprocess.run(['\(Checkout.hrp)', *a, '--data-dir', 'still'], capture_output=True, text=True)
          doctor, validate, recover, create = hrp('doctor'), hrp('validate'), hrp('recover'), hrp('backup', 'create', '--json')
          said = lambda done: 'WAL' in done.stdout + done.stderr and 'damaged' in done.stdout + done.stderr
          print(doctor.returncode, said(doctor)); print(validate.returncode, said(validate))
          print(said(recover), 'nothing was found that needs a restore' not in recover.stdout)
          error = json.loads(create.stdout)['error']
          print(create.returncode, error['code'], 'commits lie behind' in error['message'], len(os.listdir('still/backups')) == len(os.listdir('data/backups')))
          os._exit(0)
          """, in: folder)
      #expect(
        output == "1 True\n1 True\nTrue True\n1 duckdb.wal-damaged True True", "\(output)")
    }
  }

  @Test(
    "a restore and an undo are refused while anybody has the database open, with its lock, without, or only to read")
  func holders() throws {
    try withTemporaryFolder { folder in
      let output = try Engine("1.5.6").run(
        Self.make + """
          assert hrp('backup', 'create', '-q').returncode == 0; c.close()
          restore = lambda: hrp('backup', 'restore', 'latest', '--json')
          first = restore(); assert first.returncode == 0, first.stdout + first.stderr
          c = duckdb.connect('data/hrp.duckdb'); open('data/hrp.duckdb', 'rb').close()
          for command in (restore, lambda: hrp('backup', 'undo', '--json')):
              done = command(); error = json.loads(done.stdout)['error']; print(done.returncode, error['code'], 'PID %d' % os.getpid() in error['message'])
          c.close(); held = open('data/hrp.duckdb', 'rb'); done = restore(); print(done.returncode); held.close()
          print(restore().returncode)
          """, in: folder)
      #expect(
        output == "11 restore.database-in-use True\n11 restore.database-in-use True\n11\n0", "\(output)")
    }
  }
}
