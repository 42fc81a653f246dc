/** The address space that exec makes of the reconstructed BusyBox, to the byte and in Kevlar's list order. */
import { expect } from 'chai';
import { execIn, Scene } from './scene.ts';

const VMAS = [
  '0x9fffdf000-0xa00000000 rw-p stack',
  '0x522000-0x522000 rw-p heap',
  '0x400000-0x400190 r--p /bin/busybox+0x0',
  '0x401000-0x4e9abc r-xp /bin/busybox+0x1000',
  '0x4ea000-0x51b1f0 r--p /bin/busybox+0xea000',
  '0x51cbf0-0x521bf8 rw-p /bin/busybox+0x11bbf0',
  '0x400190-0x401000 rwxp pad',
  '0x4e9abc-0x4ea000 rwxp pad',
  '0x51b1f0-0x51c000 rwxp pad',
  '0x51c000-0x51cbf0 rwxp pad',
  '0x521bf8-0x522000 rwxp pad',
];

describe('the address space of BusyBox', () => {
  it('has a stack, a heap, four segments and five pads, to the byte', () => {
    const scene = new Scene('kevlar@m9.8.1').run('p1 exec /bin/busybox');
    expect(scene.describedVmas(1)).to.deep.equal(VMAS);
    expect(scene.vmas(1)[5]!.backing).to.include({ offset: 0x11bbf0, fileBytes: 0x3763 });
  });

  for (const kernel of ['kevlar', 'kevlar@m9.8', 'kevlar@m9.8.1']) {
    it(`is the same when it comes from a template (${kernel})`, () => {
      const scene = new Scene(kernel).run('p1 exec /bin/busybox', execIn(2), 'p1 exec /bin/busybox');
      expect(scene.describedVmas(1)).to.deep.equal(VMAS);
      expect(scene.vmas(2)).to.deep.equal(scene.vmas(1));
    });
  }

  it('has pages where its segments begin and end since 719f0c0, and no pads', () => {
    expect(new Scene('kevlar@719f0c0').run('p1 exec /bin/busybox').describedVmas(1)).to.deep.equal([
      '0x9fffdf000-0xa00000000 rw-p stack',
      '0x522000-0x522000 rw-p heap',
      '0x400000-0x401000 r--p /bin/busybox+0x0',
      '0x401000-0x4ea000 r-xp /bin/busybox+0x1000',
      '0x4ea000-0x51c000 r--p /bin/busybox+0xea000',
      '0x51c000-0x522000 rw-p /bin/busybox+0x11b000',
    ]);
  });

  it('maps nothing of the end of .bss ahead: there is no whole page of it', () => {
    const scene = new Scene('kevlar@m9.8.1').run('p1 exec /bin/busybox');
    expect(scene.entryAt(1, 0x521000)).to.equal(0);
    expect(scene.all('page_mapped').filter(({ why }) => why === 'small anonymous')).to.deep.equal([]);
  });
});
